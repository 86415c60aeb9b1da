"""Reads the operators' order twice a second, and says in the log when it changes."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bse_fetcher.polling.orders import Orders
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.wire.records import OrderRecord


log = structlog.get_logger()


@dataclass(slots=True)
class Obedience:
    """Keeps `orders` as the store has them. While the store is away the last order stands."""

    controls: FetcherControls
    orders: Orders
    leads: Callable[[], bool]
    """Whether this fetcher is the one that sees to it that every order is logged, also one given by hand."""
    _noted: OrderRecord | None = None

    async def step(self) -> None:
        """Read the order."""
        before = self.orders.record
        self.orders.record, self.orders.left_ms = await self.controls.current()
        self.orders.known = True
        order = self.orders.record
        if order != before:
            log.warning("fetcher.order", order=self.orders.told() or "none")
        if order is not None and order != self._noted and self.leads():
            await self.controls.note(order)
            self._noted = order
