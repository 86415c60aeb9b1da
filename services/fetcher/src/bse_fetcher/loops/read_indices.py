"""Reads the indices now and then while the market is not closed, and once when it is: their closing values."""

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

NAMED_ROWS_MAX = 10


@dataclass(slots=True)
class IndexReader:
    """SENSEX and the others. What does not come keeps its last value and its age.

    It has a time of its own instead of its loop's pause: who was not yet active at its first step, or was
    spared by a budget, must not wait for another interval.
    """

    core: Core
    source: BseSource
    guard: Guard
    history: MarketHistory
    is_closed: Callable[[], bool]
    interval_s: float
    _due_ms: float = 0.0
    _activation: int = 0
    _stored: tuple[int, bool] | None = None
    """In which activation of this fetcher, and whether after the close, they were last stored."""

    async def step(self) -> None:
        """Ask if it is time and our turn."""
        core = self.core
        if not core.terms.leads:
            return
        now = core.terms.activations, self.is_closed()
        if now[0] != self._activation:  # another one read them so far, or nobody
            self._activation, self._due_ms = now[0], 0.0
        if core.clock.monotonic_ms() < self._due_ms or self._stored == (now[0], True):
            return
        wait_s = await self._read(now)
        self._due_ms = core.clock.monotonic_ms() + wait_s * 1000

    async def _read(self, now: tuple[int, bool]) -> float:
        """Read and store them; how long to wait then."""
        try:
            indices = await self.guard.call(self._ask)
        except NotAsked as error:
            return min(error.retry_in_s, self.interval_s)
        except ExchangeError as error:
            log.warning("fetcher.indices_failed", error=str(error))
            return self.interval_s
        if not self.core.orders.frozen:
            await self.history.save_indices(indices)
            self._stored = now
        return self.interval_s

    async def _ask(self) -> dict[str, IndexRecord]:
        body = await self.source.ask_indices()
        answer = read_indices(body, self.core.store.now_ms())
        if answer.rejected:
            log.warning(
                "fetcher.index_rows_rejected",
                count=len(answer.rejected),
                rows=[f"{r.row}: {r.reason}" for r in answer.rejected[:NAMED_ROWS_MAX]],
            )
        self.core.publisher.tell_drift(answer.drift)
        return answer.indices
