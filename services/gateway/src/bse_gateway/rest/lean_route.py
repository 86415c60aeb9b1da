"""A route for endpoints that take the request alone: no dependency solving, no response model at run time.

The routes that answer quotes are asked thousands of times a second; FastAPI's machinery is most of their cost.
It still documents them: parameters through `openapi_extra`, the answer through `response_model`.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


class LeanRoute(APIRoute):
    """Calls the endpoint with the request, and answers with what it returns."""

    def get_route_handler(
        self,
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint
