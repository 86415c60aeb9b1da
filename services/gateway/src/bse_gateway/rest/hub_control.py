"""`/admin/hubs`: operators drain the hubs, from listed addresses, and take it back."""

from typing import Annotated, Literal

from fastapi import Body, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

from bse_gateway.hub_desk import DrainConflict, HubDesk
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
from bse_shared.wire.records import ALL_HUBS, DrainRecord


Instance = Annotated[
    str,
    Field(
        pattern=r"^(\*|[A-Za-z0-9._-]{1,128})$",
        description="as GET /admin/hubs names it; `*`: all hubs",
        examples=[ALL_HUBS],
    ),
]


class AskedDrain(BaseModel):
    """Send the clients away."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["drain"]
    instance: Instance
    for_s: Seconds = Field(ORDER_S, description="the hub takes clients again after it")
    why: Why = ""


class AskedResume(BaseModel):
    """Take clients again before the end; with `*` every drain ends."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["resume"]
    instance: Instance
    why: Why = ""


Asked = Annotated[AskedDrain | AskedResume, Body(discriminator="action")]


class DrainReply(Reply):
    """An order. It ends when it was given: back to normal."""

    instance: str = Field(examples=[ALL_HUBS])
    by: str = Field(examples=["key:k3v9x2ab"])
    at_ms: EpochMs
    ends_at_ms: EpochMs
    why: str


class HubReply(Reply):
    """A hub as it was last heard."""

    instance: str = Field(examples=["ws-hub-0"])
    url: str
    heard_at_ms: EpochMs
    ready: bool
    reasons: list[str] = Field(description="why it is not ready")
    connections: int | None
    drain: DrainReply | None = Field(
        description="what stands for it; it is carried out within two seconds"
    )


class HubsReply(Reply):
    """The hubs, and what was ordered."""

    hubs: list[HubReply]
    in_force: list[DrainReply]
    orders: list[DrainReply] = Field(description="the newest 100, the newest first")
    server_time_ms: EpochMs


class HubDoor:
    """The routes' endpoints."""

    def __init__(self, desk: HubDesk, market: Market):
        self._desk = desk
        self._market = market

    async def order(self, asked: Asked, request: Request) -> DrainReply:
        """A drained hub is not ready, tells its clients to reconnect, closes them and takes nobody, until the drain ends."""
        actor = actor_of(request)
        try:
            if isinstance(asked, AskedDrain):
                given = await self._desk.drain(
                    asked.instance, asked.for_s, asked.why, actor
                )
            else:
                given = await self._desk.resume(asked.instance, asked.why, actor)
        except DrainConflict as conflict:
            raise Problem(Kind.ORDER_CONFLICT, str(conflict)) from None
        return _told(given)

    async def hubs(self) -> HubsReply:
        """The hubs heard in the last ten minutes, the drains in force, and the orders before."""
        return HubsReply(
            hubs=[
                HubReply(
                    instance=beat.instance,
                    url=beat.url,
                    heard_at_ms=beat.at_ms,
                    ready=beat.ready,
                    reasons=beat.reasons,
                    connections=_count(beat.detail.get("connections")),
                    drain=_told(drain) if drain else None,
                )
                for beat, drain in await self._desk.hubs()
            ],
            in_force=[_told(each) for each in (await self._desk.in_force()).values()],
            orders=[_told(each) for each in await self._desk.newest()],
            server_time_ms=self._market.now_ms(),
        )


def _told(order: DrainRecord) -> DrainReply:
    return DrainReply(
        instance=order.instance,
        by=order.by,
        at_ms=order.at_ms,
        ends_at_ms=order.ends_at_ms,
        why=order.why,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def add_hub_routes(app: FastAPI, door: HubDoor) -> None:
    """Add the routes."""
    add_order_routes(
        app,
        "/admin/hubs",
        Endpoint(door.hubs, "read_hubs", "The hubs, and orders to them"),
        Endpoint(door.order, "order_hubs", "Drain hubs, or take that back"),
    )
