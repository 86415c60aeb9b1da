"""The daily instrument list. It must not be fetched per quote; once a day is enough."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bse_fetcher.exchange.bse_client import BseClient
from bse_fetcher.exchange.bse_payload import read_master
from bse_fetcher.exchange.errors import ExchangeError
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.terms import Terms
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.store import MarketStore


log = structlog.get_logger()

RETRY_S = 60.0
REFRESH_S = 24 * 3600.0


@dataclass(slots=True)
class MasterRefresher:
    """Reads the list when this fetcher becomes active, and then once a day."""

    client: BseClient
    terms: Terms
    store: MarketStore
    clock: Clock
    instruments: KnownInstruments
    failed: Callable[[str], None]
    due_ms: float = 0.0

    async def step(self) -> None:
        """Refresh if it is time and our turn."""
        if not self.terms.active or not self.instruments.loaded:
            return
        if self.clock.monotonic_ms() < self.due_ms:
            return
        try:
            rows = read_master(await self.client.master())
        except ExchangeError as error:
            self.failed(error.kind)
            log.warning("fetcher.master_failed", error=str(error), next_in_s=RETRY_S)
            self.due_ms = self.clock.monotonic_ms() + RETRY_S * 1000
            return
        self.instruments.listed(rows)
        await self.store.save_instruments(self.instruments.master)
        self.instruments.saved = True
        self.due_ms = self.clock.monotonic_ms() + REFRESH_S * 1000
        log.info(
            "fetcher.master_read",
            rows=len(rows),
            version=self.instruments.master.version,
        )
