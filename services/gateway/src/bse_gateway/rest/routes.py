"""How a route that is read goes into the application."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from bse_gateway.rest.contract import problems
from bse_gateway.rest.problems import Kind


def add_get(
    app: FastAPI,
    path: str,
    endpoint: Callable[..., Any],
    *kinds: Kind,
    name: str,
    summary: str,
    tag: str,
    model: Any,
    also: dict[int | str, dict[str, Any]] | None = None,
    **options: Any,
) -> None:
    """Add it: what it answers (`model`, and `also` by status), and which problems it may have."""
    app.router.add_api_route(
        path,
        endpoint,
        name=name,
        summary=summary,
        response_model=model,
        responses={**(also or {}), **problems(*kinds)},
        tags=[tag],
        **options,
    )
