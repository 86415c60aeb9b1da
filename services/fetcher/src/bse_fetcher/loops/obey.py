"""Reads the operators' order twice a second, and says in the log when it changes."""

from dataclasses import dataclass

import structlog

from bse_fetcher.polling.orders import Orders
from bse_shared.redis_edge.fetcher_controls import FetcherControls


log = structlog.get_logger()


@dataclass(slots=True)
class Obedience:
    """Keeps `orders` as the store has them. While the store is away the last order stands."""

    controls: FetcherControls
    orders: Orders

    async def step(self) -> None:
        """Read the order."""
        before = self.orders.record
        self.orders.record, self.orders.left_ms = await self.controls.current()
        if self.orders.record != before:
            log.warning("fetcher.order", order=self.orders.told() or "none")
