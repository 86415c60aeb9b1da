"""A route for endpoints that take the request alone: no dependency solving, no response model at run time.

The routes that answer quotes are asked thousands of times a second; FastAPI's machinery is most of their cost.
It still documents them: parameters through `openapi_extra`, the answer through `response_model`.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send


Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class LeanRoute(APIRoute):
    """Calls the endpoint with the request, and answers with what it returns."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any):
        super().__init__(path, endpoint, **options)
        # In place of FastAPI's own, which opens two exit stacks and a handler of errors for each request;
        # errors go to the application's handler, as those of all routes.
        self.app = _answering(endpoint)


def _answering(endpoint: Endpoint) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)

    return app
