"""The daily instrument list, and the one writer of the master to the store.

The list must not be fetched per quote; once a day is enough. What the market's rows say of names in between
is saved here too: two writers could overtake each other.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.sources.bse.client import BseClient
from bse_fetcher.sources.bse.master import read_master
from bse_fetcher.sources.errors import ExchangeError, RateLimited
from bse_fetcher.terms import Terms
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.store import MarketStore


log = structlog.get_logger()

RETRY_S = 60.0
RETRY_MAX_S = 3600.0
REFRESH_S = 24 * 3600.0
NAMED_ROWS_MAX = 10


@dataclass(slots=True)
class MasterRefresher:
    """Reads the list when this fetcher becomes active, and then once a day; saves the master that changed."""

    client: BseClient
    terms: Terms
    store: MarketStore
    clock: Clock
    instruments: KnownInstruments
    failed: Callable[[str], None]
    due_ms: float = 0.0
    failures: int = 0

    async def step(self) -> None:
        """Refresh if it is time and our turn; save what the store lacks."""
        if not self._is_our_turn():
            return
        if self.clock.monotonic_ms() >= self.due_ms:
            wait_s = await self._refresh()
            self.due_ms = self.clock.monotonic_ms() + wait_s * 1000
        if self._is_our_turn() and not self.instruments.saved:
            master = self.instruments.master
            await self.store.save_instruments(master)
            self.instruments.saved_version = master.version

    def _is_our_turn(self) -> bool:
        loaded = self.instruments.loaded_in == self.terms.activations
        return self.terms.active and loaded

    async def _refresh(self) -> float:
        """Ask for the list; how long to wait then."""
        try:
            answer = read_master(await self.client.master())
        except ExchangeError as error:
            return self._missed(error)
        self.failures = 0
        self.instruments.listed(answer.instruments)
        log.info(
            "fetcher.master_read",
            rows=len(answer.instruments),
            version=self.instruments.master.version,
        )
        if answer.rejected:
            some = answer.rejected[:NAMED_ROWS_MAX]
            log.warning(
                "fetcher.master_rows_rejected",
                count=len(answer.rejected),
                rows=[f"{row.row}: {row.reason}" for row in some],
            )
        return REFRESH_S

    def _missed(self, error: ExchangeError) -> float:
        self.failures += 1
        self.failed(error.kind)
        wait_s = min(RETRY_S * 2.0 ** min(self.failures - 1, 16), RETRY_MAX_S)
        if isinstance(error, RateLimited):
            wait_s = max(wait_s, error.retry_after_s)
        log.warning("fetcher.master_failed", error=str(error), next_in_s=wait_s)
        return wait_s
