"""What every answer gets: a request id, security headers, one canonical log line, metrics (pure ASGI).

Also the last door for bugs: they are logged here once, and answered as a problem without detail.
"""

import re
import secrets

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bse_gateway.metrics import GatewayMetrics
from bse_gateway.rest.load_shedding import PROBES
from bse_gateway.rest.problems import (
    Problem,
    internal_problem,
    problem_response,
)
from bse_shared.access.budgets import Spent
from bse_shared.pacing.clock import Clock


log = structlog.get_logger()

CLIENT_ERROR = 400
SERVER_ERROR = 500
PATH_LOGGED_MAX = 200

SANE_ID = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
ON_EVERY_ANSWER = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]
_NOT_STORED = (b"cache-control", b"no-store")
"""The default of routes that say nothing: answers here are of one instant."""
_DEFAULTS = [*ON_EVERY_ANSWER, _NOT_STORED]


class RequestIds:
    """Makes ids: a random beginning for the process, then a count. 16 hexadecimal digits."""

    def __init__(self) -> None:
        self._beginning = secrets.token_hex(4).encode()
        self._count = 0

    def new(self) -> bytes:
        """The next id."""
        self._count = (self._count + 1) & 0xFFFFFFFF
        return b"%b%08x" % (self._beginning, self._count)


class Envelope:
    """Wraps the whole application."""

    def __init__(
        self, app: ASGIApp, metrics: GatewayMetrics, clock: Clock, ids: RequestIds
    ):
        self._app = app
        self._ids = ids
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_ms = self._clock.monotonic_ms()
        request_id = self._request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _stamp(message, request_id, self._clock.monotonic_ms() - began_ms)
                if spent := scope["state"].get("spent"):
                    message["headers"] += budget_headers(spent)
            await send(message)

        try:
            await self._app(scope, receive, stamped)
        except Problem as problem:  # raised ahead of the routes
            await problem_response(problem, request_id)(scope, receive, stamped)
        except Exception:
            log.exception("gateway.bug", request_id=request_id, path=path_logged(scope))
            if status:
                raise  # Half an answer is out: only the server can cut the connection.
            await problem_response(internal_problem(), request_id)(
                scope, receive, stamped
            )
        finally:
            self._tell(scope, request_id, status, self._clock.monotonic_ms() - began_ms)

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and SANE_ID.fullmatch(value):
                return str(value, "ascii")
        return self._ids.new().decode()

    def _tell(
        self, scope: Scope, request_id: str, status: int, duration_ms: float
    ) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.count(route, status, duration_ms / 1000)
        say = log.debug
        if route in PROBES:
            pass  # asked all the time; that this instance is not ready is told by who asks
        elif status >= SERVER_ERROR:
            say = log.warning
        elif status >= CLIENT_ERROR:
            say = log.info
        say(
            "gateway.request",
            method=scope["method"],
            path=path_logged(scope),
            route=route,
            status=status,
            duration_ms=round(duration_ms, 3),
            request_id=request_id,
        )


def _stamp(start: Message, request_id: str, duration_ms: float) -> None:
    """Put our headers on an answer; what a route has set stays."""
    headers = [*start.get("headers", ())]
    set_already = {name for name, _ in headers}
    headers += [h for h in _DEFAULTS if h[0] not in set_already]
    headers.append((b"x-request-id", request_id.encode()))
    headers.append((b"server-timing", b"app;dur=%.2f" % duration_ms))
    start["headers"] = headers


def budget_headers(spent: Spent) -> list[tuple[bytes, bytes]]:
    """The caller's budget, under the names of the IETF draft."""
    return [
        (b"ratelimit-limit", b"%d" % spent.limit),
        (b"ratelimit-remaining", b"%d" % spent.remaining),
        (b"ratelimit-reset", b"%d" % spent.reset_s),
    ]


def path_logged(scope: Scope) -> str:
    """The path as log lines have it: cut, for the caller chose it."""
    path: str = scope["path"]
    return path[:PATH_LOGGED_MAX]
