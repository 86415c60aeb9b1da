"""Gives operators' orders to the fetchers; every act is in the audit log, with its result."""

from enum import StrEnum
from typing import NamedTuple

from bse_gateway.identity.act_log import ActLog, Actor
from bse_gateway.lookup import Market
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.wire.records import OrderRecord


class Action(StrEnum):
    """What can be ordered."""

    PAUSE = "pause"
    RESUME = "resume"
    FREEZE = "freeze"
    POLL_NOW = "poll_now"
    SOURCE = "source"


class OrderWish(NamedTuple):
    """An order to be given; `source` is named for that action alone."""

    action: Action
    for_s: int
    source: str = ""
    why: str = ""


class OrderInForce(NamedTuple):
    """An order, and how long it still stands."""

    record: OrderRecord
    left_ms: int


class OrderConflict(Exception):
    """The order would do nothing as things are; the text says why, for people."""


class FeedDesk:
    """One order is in force at a time; the next takes its place."""

    def __init__(self, controls: FetcherControls, market: Market, acts: ActLog):
        self._controls = controls
        self._market = market
        self._acts = acts

    async def give(self, wish: OrderWish, actor: Actor) -> OrderInForce:
        """Put the order in force. Raises OrderConflict, StoreUnavailable."""
        target = wish.source or "feed"
        try:
            given = await self._order(wish, actor.who)
        except OrderConflict:
            await self._acts.note(actor, f"feed.{wish.action}", target, "conflict")
            raise
        await self._controls.give(given.record, -(-given.left_ms // 1000))
        await self._acts.note(actor, f"feed.{wish.action}", target, "done")
        return given

    async def in_force(self) -> OrderInForce | None:
        """The order in force."""
        record, left_ms = await self._controls.current()
        return OrderInForce(record, left_ms) if record else None

    async def newest(self) -> list[OrderRecord]:
        """The newest orders, the newest first."""
        return (await self._controls.log())[::-1]

    async def _order(self, wish: OrderWish, by: str) -> OrderInForce:
        order = OrderRecord(
            by=by,
            at_ms=self._market.now_ms(),
            source=wish.source,
            pause=wish.action is Action.PAUSE,
            freeze=wish.action is Action.FREEZE,
            poll_now=wish.action is Action.POLL_NOW,
            why=wish.why,
        )
        if wish.source and wish.source not in (self._sources() or {wish.source}):
            raise OrderConflict("The fetchers have no such source.")
        before = await self.in_force() if order.poll_now else None
        if before is None:
            return OrderInForce(order, wish.for_s * 1000)
        if before.record.pause:
            raise OrderConflict("The feed is paused: resume it first.")
        # What stands goes on standing, to its own end: a poll lifts no freeze.
        kept = OrderRecord(
            by=by,
            at_ms=order.at_ms,
            source=before.record.source,
            freeze=before.record.freeze,
            poll_now=True,
            why=wish.why,
        )
        return OrderInForce(kept, max(before.left_ms, 1000))

    def _sources(self) -> set[str]:
        """The sources that the fetchers have, as far as they were heard."""
        feed = self._market.feed
        return {each.source for each in feed.sources} if feed else set()
