"""Reads the indices now and then while the market is not closed."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bse_fetcher.core import Core
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.bse.index_list import read_indices
from bse_fetcher.sources.errors import ExchangeError, NotAsked
from bse_fetcher.sources.guard import Guard
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.wire.records import IndexRecord


log = structlog.get_logger()


@dataclass(slots=True)
class IndexReader:
    """SENSEX and the others, as often as the loop runs; what does not come keeps its last value and its age."""

    core: Core
    source: BseSource
    guard: Guard
    history: MarketHistory
    is_wanted: Callable[[], bool]

    async def step(self) -> None:
        """Ask once, if it is our turn."""
        if not self.core.terms.leads or not self.is_wanted():
            return
        try:
            indices = await self.guard.call(self._ask)
        except NotAsked:
            return
        except ExchangeError as error:
            log.warning("fetcher.indices_failed", error=str(error))
            return
        if not self.core.orders.frozen:
            await self.history.save_indices(indices)

    async def _ask(self) -> dict[str, IndexRecord]:
        body = await self.source.ask_indices()
        indices, rejected = read_indices(body, self.core.store.now_ms())
        if rejected:
            log.warning("fetcher.index_rows_rejected", count=len(rejected))
        return indices
