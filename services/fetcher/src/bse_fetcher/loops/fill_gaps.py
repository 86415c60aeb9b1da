"""Fills the minutes that were missed, of hot scrips, from the exchange's own minutes: one scrip at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from bse_fetcher.core import Core
from bse_fetcher.polling.demand import Demand
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.bse.intraday import read_minutes
from bse_fetcher.sources.errors import ExchangeError, NotAsked
from bse_fetcher.sources.guard import Guard
from bse_shared.quotes.candles import Candle, CandleFlag
from bse_shared.quotes.position import shard_of
from bse_shared.redis_edge.market_history import MarketHistory


log = structlog.get_logger()


@dataclass(slots=True)
class GapFiller:
    """A scrip is looked at when it becomes hot, and again after a pause of the feed (`pauses` counts them)."""

    core: Core
    source: BseSource
    guard: Guard
    history: MarketHistory
    demand: Demand
    is_wanted: Callable[[], bool]
    pauses: Callable[[], int]
    _filled: dict[int, int] = field(default_factory=dict)

    async def step(self) -> None:
        """Fill one scrip, if one is due."""
        core = self.core
        if not core.terms.active or not self.is_wanted():
            return
        pauses = self.pauses()
        hot = self.demand.hot(core.store.now_ms())
        due = [c for c in hot if core.terms.holds(c) and self._filled.get(c) != pauses]
        if not due:
            return
        code = due[0]
        try:
            candles = await self.guard.call(lambda: self._ask(code))
        except NotAsked:
            return
        except ExchangeError as error:
            log.warning("fetcher.minutes_failed", code=code, error=str(error))
            return
        await self._fill(code, candles)
        self._filled[code] = pauses

    async def _ask(self, code: int) -> list[Candle]:
        return read_minutes(await self.source.ask_minutes(code))

    async def _fill(self, code: int, candles: list[Candle]) -> None:
        lease = self.core.terms.lease_of(shard_of(code, self.core.terms.shards))
        if lease is None or not candles:
            return
        held = await self.history.minutes(code, candles[-1].start_ms)
        whole = {c.start_ms for c in held if not c.flags & CandleFlag.GAP}
        missed = [(code, c) for c in candles if c.start_ms not in whole]
        if missed and await self.history.append_minutes(lease, missed):
            self.core.metrics.candles.inc(len(missed))
