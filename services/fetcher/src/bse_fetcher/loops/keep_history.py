"""Makes candles of what is committed, stores the finished ones, rolls days. Prices go first: a shard's candles are
written while nothing is being published.
"""

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
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote import Quote
from bse_shared.quotes.shard_writer import Plan
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import Lease
from bse_shared.sessions.session import MarketSession


log = structlog.get_logger()

Write = Callable[[Lease, Sequence[tuple[int, Candle]]], Awaitable[bool]]


@dataclass(slots=True)
class HistoryKeeper:
    """Candles of the shards that this fetcher writes."""

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
            await self.core.publisher.idle()
            lease = terms.lease_of(shard)
            if lease is not None and await write(lease, some):
                self.core.metrics.candles.inc(len(some))

    def _quotes(self) -> dict[int, Quote]:
        return {
            code: image.quote
            for writer in self.core.terms.writers.values()
            for code, image in writer.images.items()
        }
