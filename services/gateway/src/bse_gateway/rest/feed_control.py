"""`/admin/feed`: what operators order the fetchers to do, from listed addresses."""

from typing import Annotated, Literal

from fastapi import Body, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

from bse_gateway.feed_desk import (
    Action,
    FeedDesk,
    OrderConflict,
    OrderInForce,
    OrderWish,
)
from bse_gateway.lookup import Market
from bse_gateway.rest.admin import actor_of
from bse_gateway.rest.operator_orders import (
    ORDER_S,
    Endpoint,
    Seconds,
    Why,
    add_order_routes,
)
from bse_gateway.rest.problems import Kind, Problem
from bse_gateway.rest.replies.base import EpochMs, Reply
from bse_shared.wire.feed_view import feed_state
from bse_shared.wire.records import OrderRecord


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    for_s: Seconds = Field(ORDER_S, description="it ends by itself after so long")
    why: Why = ""


class AskedOrder(_Asked):
    """An order to the feed as a whole."""

    action: Literal["pause", "resume", "freeze", "poll_now"]


class AskedSource(_Asked):
    """Ask only this source for prices."""

    action: Literal["source"]
    source: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$", examples=["yahoo"])


Asked = Annotated[AskedOrder | AskedSource, Body(discriminator="action")]


class OrderReply(Reply):
    """An order. None of the four: back to normal."""

    by: str = Field(examples=["key:k3v9x2ab"])
    at_ms: EpochMs
    source: str | None
    pause: bool
    freeze: bool
    poll_now: bool
    why: str


class OrderInForceReply(Reply):
    """The order in force."""

    order: OrderReply
    ends_in_ms: int = Field(examples=[600_000])


class SourceReply(Reply):
    """One endpoint of a source, as the fetcher sees it."""

    source: str = Field(examples=["bse"])
    endpoint: str
    role: str
    circuit: str
    failures: int
    last_error: str


class FeedControlReply(Reply):
    """What was ordered, and what the fetchers say."""

    in_force: OrderInForceReply | None
    obeyed: str = Field(
        description="the order that the fetcher last said it follows; empty: none",
        examples=["paused by key:k3v9x2ab for 540 s more"],
    )
    state: str = Field(description="of the feed, as /api/market/status tells it")
    heard_at_ms: EpochMs | None = Field(description="when a fetcher last said so")
    sources: list[SourceReply]
    orders: list[OrderReply] = Field(description="the newest 100, the newest first")


class FeedDoor:
    """The routes' endpoints."""

    def __init__(self, desk: FeedDesk, market: Market):
        self._desk = desk
        self._market = market

    async def order(self, asked: Asked, request: Request) -> OrderInForceReply:
        """Put an order in force in place of the one before. `poll_now` leaves a forced source or a freeze as it is."""
        wish = OrderWish(
            Action(asked.action),
            asked.for_s,
            asked.source if isinstance(asked, AskedSource) else "",
            asked.why,
        )
        try:
            return _in_force(await self._desk.give(wish, actor_of(request)))
        except OrderConflict as conflict:
            raise Problem(Kind.ORDER_CONFLICT, str(conflict)) from None

    async def feed(self) -> FeedControlReply:
        """The order in force, the orders before it, and how the fetchers do."""
        in_force = await self._desk.in_force()
        feed = self._market.feed
        return FeedControlReply(
            in_force=_in_force(in_force) if in_force else None,
            obeyed=feed.order if feed else "",
            state=feed_state(feed, self._market.now_ms()),
            heard_at_ms=feed.at_ms if feed else None,
            sources=[
                SourceReply(
                    source=each.source,
                    endpoint=each.endpoint,
                    role=each.role,
                    circuit=each.circuit,
                    failures=each.failures,
                    last_error=each.last_error,
                )
                for each in (feed.sources if feed else ())
            ],
            orders=[_order(record) for record in await self._desk.newest()],
        )


def _order(record: OrderRecord) -> OrderReply:
    return OrderReply(
        by=record.by,
        at_ms=record.at_ms,
        source=record.source or None,
        pause=record.pause,
        freeze=record.freeze,
        poll_now=record.poll_now,
        why=record.why,
    )


def _in_force(order: OrderInForce) -> OrderInForceReply:
    return OrderInForceReply(order=_order(order.record), ends_in_ms=order.left_ms)


def add_feed_routes(app: FastAPI, door: FeedDoor) -> None:
    """Add the routes."""
    add_order_routes(
        app,
        "/admin/feed",
        Endpoint(
            door.feed, "read_feed_control", "Orders to the fetchers, and how they do"
        ),
        Endpoint(door.order, "order_feed", "Order the fetchers"),
    )
