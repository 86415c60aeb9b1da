"""Makes candles of what is committed, stores the finished ones, rolls days, sums the market up."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from bse_fetcher.core import Core
from bse_shared.quotes.candles import (
    Candle,
    CandleMaker,
    day_candle,
    day_start_ms,
)
from bse_shared.quotes.market_summary import Mover, summarise
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote import Quote
from bse_shared.quotes.shard_writer import Plan
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import Lease
from bse_shared.sessions.session import MarketSession
from bse_shared.wire.records import MoverRecord, SummaryRecord


log = structlog.get_logger()

Write = Callable[[Lease, Sequence[tuple[int, Candle]]], Awaitable[bool]]

MOVERS_MAX = 20
MIN_TURNOVER_PAISE = 10_000_000
"""A lakh of rupees: who leads the market must have been traded by more than one person."""


@dataclass(slots=True)
class HistoryKeeper:
    """Candles of the shards that this fetcher writes; the summary, where it holds the whole market."""

    core: Core
    history: MarketHistory
    session: Callable[[], MarketSession]
    maker: CandleMaker = field(default_factory=CandleMaker)
    _rolled_day_ms: int = 0

    def took(self, plan: Plan) -> None:
        """A plan was committed."""
        confirmation = plan.frame.confirmation
        codes = None if confirmation.whole else confirmation.codes
        self.maker.watched(confirmation.at_ms, codes)
        for change in plan.frame.changes:
            self.maker.take(change.code, plan.images[change.code].quote)

    async def step(self) -> None:
        """Store the minutes that are over; roll the day once the market is closed."""
        if not self.core.terms.active:
            return
        now_ms = self.core.store.now_ms()
        await self._store(self.maker.closed(now_ms), self.history.append_minutes)
        if self.session().phase == "closed":
            await self._roll()

    async def sum_up(self) -> None:
        """Store the summary of the market."""
        core = self.core
        if len(core.terms.writers) < core.terms.shards:
            return
        quotes = self._quotes()
        newest_ms = max((q.exchange_time_ms or 0 for q in quotes.values()), default=0)
        found = summarise(
            quotes, day_start_ms(newest_ms), MOVERS_MAX, MIN_TURNOVER_PAISE
        )
        await self.history.save_summary(
            SummaryRecord(
                at_ms=core.store.now_ms(),
                advances=found.advances,
                declines=found.declines,
                unchanged=found.unchanged,
                untraded=found.untraded,
                turnover_paise=found.turnover_paise,
                gainers=[self._record(mover) for mover in found.gainers],
                losers=[self._record(mover) for mover in found.losers],
                most_active=[self._record(mover) for mover in found.most_active],
            )
        )

    async def _roll(self) -> None:
        quotes = self._quotes()
        newest_ms = max((q.exchange_time_ms or 0 for q in quotes.values()), default=0)
        day_ms = day_start_ms(newest_ms)
        if not newest_ms or day_ms == self._rolled_day_ms:
            return
        days = [
            (code, candle)
            for code, quote in quotes.items()
            if (candle := day_candle(quote, day_ms)) is not None
        ]
        await self._store(days, self.history.set_days)
        self._rolled_day_ms = day_ms
        log.info("fetcher.day_rolled", scrips=len(days), day_ms=day_ms)

    async def _store(
        self,
        candles: list[tuple[int, Candle]],
        write: Write,
    ) -> None:
        terms = self.core.terms
        by_shard: dict[int, list[tuple[int, Candle]]] = defaultdict(list)
        for code, candle in candles:
            by_shard[shard_of(code, terms.shards)].append((code, candle))
        for shard, some in by_shard.items():
            lease = terms.lease_of(shard)
            if lease is not None and await write(lease, some):
                self.core.metrics.candles.inc(len(some))

    def _quotes(self) -> dict[int, Quote]:
        return {
            code: image.quote
            for writer in self.core.terms.writers.values()
            for code, image in writer.images.items()
        }

    def _record(self, mover: Mover) -> MoverRecord:
        symbol = self.core.instruments.master.symbol_of(mover.code)
        return MoverRecord(symbol=symbol, **mover._asdict())
