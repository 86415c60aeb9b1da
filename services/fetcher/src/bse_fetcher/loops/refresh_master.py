"""The daily instrument list, and the one writer of the master to the store.

The list must not be fetched per quote; once a day is enough. What the market's rows say of names in between
is saved here too: two writers could overtake each other.
"""

from dataclasses import dataclass

import structlog

from bse_fetcher.core import Core
from bse_fetcher.sources.answer import MasterAnswer
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.bse.master import read_master
from bse_fetcher.sources.errors import ExchangeError, NotAsked, RateLimited
from bse_fetcher.sources.guard import Guard


log = structlog.get_logger()

RETRY_S = 60.0
RETRY_MAX_S = 3600.0
REFRESH_S = 24 * 3600.0
NAMED_ROWS_MAX = 10


@dataclass(slots=True)
class MasterRefresher:
    """Reads the list when this fetcher becomes active, and then once a day; saves the master that changed."""

    core: Core
    source: BseSource
    guard: Guard
    due_ms: float = 0.0
    failures: int = 0

    async def step(self) -> None:
        """Refresh if it is time and our turn; save what the store lacks. Who does not lead takes what is there."""
        if not self._is_our_turn():
            await self._follow()
            return
        if self.core.clock.monotonic_ms() >= self.due_ms:
            wait_s = await self._refresh()
            self.due_ms = self.core.clock.monotonic_ms() + wait_s * 1000
        if self._is_our_turn() and not self.core.instruments.saved:
            master = self.core.instruments.master
            await self.core.store.save_instruments(master)
            self.core.instruments.saved_version = master.version

    async def _follow(self) -> None:
        core = self.core
        if not core.terms.active or core.terms.leads:
            return
        stored = await core.store.instruments_version()
        if stored > core.instruments.master.version:
            core.instruments.load(
                await core.store.instruments(), core.terms.activations
            )

    def _is_our_turn(self) -> bool:
        loaded = self.core.instruments.loaded_in == self.core.terms.activations
        return self.core.terms.leads and loaded

    async def _refresh(self) -> float:
        """Ask for the list; how long to wait then."""
        try:
            answer = await self.guard.call(self._ask)
        except NotAsked as error:
            return error.retry_in_s
        except ExchangeError as error:
            return self._missed(error)
        self.failures = 0
        self.core.instruments.listed(answer.instruments)
        log.info(
            "fetcher.master_read",
            rows=len(answer.instruments),
            version=self.core.instruments.master.version,
        )
        self.core.publisher.tell_drift(answer.drift)
        if answer.rejected:
            some = answer.rejected[:NAMED_ROWS_MAX]
            log.warning(
                "fetcher.master_rows_rejected",
                count=len(answer.rejected),
                rows=[f"{row.row}: {row.reason}" for row in some],
            )
        return REFRESH_S

    async def _ask(self) -> MasterAnswer:
        return read_master(await self.source.ask_master())

    def _missed(self, error: ExchangeError) -> float:
        self.failures += 1
        self.core.metrics.polls.labels(f"master_{error.kind}").inc()
        wait_s = min(RETRY_S * 2.0 ** min(self.failures - 1, 16), RETRY_MAX_S)
        if isinstance(error, RateLimited):
            wait_s = max(wait_s, error.retry_after_s)
        log.warning("fetcher.master_failed", error=str(error), next_in_s=wait_s)
        return wait_s
