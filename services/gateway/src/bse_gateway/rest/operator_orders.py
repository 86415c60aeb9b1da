"""What operators' orders have in common, to whomever they go: an end, a reason, and two routes."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, FastAPI
from pydantic import BeforeValidator, Field

from bse_gateway.rest.contract import problems
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.replies.base import whole_number
from bse_gateway.rest.subscriptions import require_json
from bse_shared.redis_edge.fetcher_controls import ORDER_MAX_S


ORDER_S = 600
"""How long an order stands when nothing is said."""

Seconds = Annotated[int, Field(ge=1, le=ORDER_MAX_S), BeforeValidator(whole_number)]
Why = Annotated[
    str,
    Field(
        pattern=r"^[ -~]{0,200}$",
        description="for the log",
        examples=["exchange test"],
    ),
]


class Endpoint(NamedTuple):
    """One of the routes, as the contract names it."""

    endpoint: Callable[..., Any]
    name: str
    summary: str


def add_order_routes(app: FastAPI, path: str, read: Endpoint, order: Endpoint) -> None:
    """Add them: what stands is read at the path, and orders are given below it."""
    app.router.add_api_route(path, **read._asdict(), tags=["administration"])
    app.router.add_api_route(
        f"{path}/orders",
        **order._asdict(),
        methods=["POST"],
        status_code=201,
        dependencies=[Depends(require_json)],
        responses=problems(
            Kind.MALFORMED_JSON,
            Kind.BODY_TOO_LARGE,
            Kind.INVALID_REQUEST,
            Kind.UNSUPPORTED_MEDIA_TYPE,
            Kind.ORDER_CONFLICT,
        ),
        tags=["administration"],
    )
