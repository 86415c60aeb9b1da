"""The monitor's doors: /status for programs, /status/summary for shells, / for people."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from bse_monitor.dashboard.page import Page, build_page
from bse_monitor.dashboard.replies import StatusReply
from bse_monitor.dashboard.summary import summary_line
from bse_monitor.loops.observe import View
from bse_monitor.rules.status import Health


DOWN = 503


def create_app(view: Callable[[], View]) -> FastAPI:
    """The application; every answer is read from the newest view."""
    # The interactive docs would load scripts from elsewhere; /openapi.json is served.
    app = FastAPI(title="bse-monitor", docs_url=None, redoc_url=None)
    app.middleware("http")(_secure)
    _add_status(app, view)
    _add_page(app, build_page())
    return app


def _add_status(app: FastAPI, view: Callable[[], View]) -> None:
    @app.get(
        "/status",
        tags=["status"],
        summary="What is up, how old the data is, and why.",
        responses={DOWN: {"model": StatusReply, "description": "down, with strict=1"}},
    )
    async def status(
        response: Response,
        strict: Annotated[
            bool, Query(description="answer 503 when the overall status is down")
        ] = False,
    ) -> StatusReply:
        now = view()
        if strict and now.status.health is Health.DOWN:
            response.status_code = DOWN
        return StatusReply.of(now)

    @app.get("/status/summary", tags=["status"], response_class=PlainTextResponse)
    async def summary() -> str:
        """The same on one line."""
        return summary_line(view()) + "\n"


def _add_page(app: FastAPI, page: Page) -> None:
    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:
        return HTMLResponse(
            page.html, headers={"Content-Security-Policy": page.security_policy}
        )


async def _secure(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
