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
from bse_shared.quotes.shard_writer import Plan
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import Lease
from bse_shared.sessions.session import MarketSession


log = structlog.get_logger()

Finished = tuple[int, Candle]
"""A scrip code and its candle."""

Write = Callable[[Lease, Sequence[Finished]], Awaitable[bool]]


WAITING_MAX = 50_000
"""Finished minutes that wait for the store: ten minutes of a whole market; beyond it the oldest are given up."""


@dataclass(slots=True)
class HistoryKeeper:
    """Candles of the shards that this fetcher writes."""

    core: Core
    history: MarketHistory
    session: Callable[[], MarketSession]
    maker: CandleMaker = field(default_factory=CandleMaker)
    _waiting: list[Finished] = field(default_factory=list)
    _rolled_days_ms: dict[int, int] = field(default_factory=dict)
    """The day that each shard was last rolled to, by this fetcher."""

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
        await self.store_minutes(self.maker.closed(self.core.store.now_ms()))
        if self.session().phase == "closed":
            await self._roll()

    async def store_minutes(self, finished: Sequence[Finished]) -> None:
        """Store finished minutes. What can't be stored now (the store is away, a lease is lost) waits: a minute that
        was seen as a whole is worth more than what another fetcher saw of it.
        """
        self._waiting = [*self._waiting, *finished][-WAITING_MAX:]
        by_shard: dict[int, list[Finished]] = defaultdict(list)
        for each in self._waiting:
            by_shard[shard_of(each[0], self.core.terms.shards)].append(each)
        for shard, some in by_shard.items():
            if await self._write(shard, some, self.history.append_minutes):
                written = set(some)
                self._waiting = [each for each in self._waiting if each not in written]

    async def _roll(self) -> None:
        writers = self.core.terms.writers
        newest_ms = max(
            (
                image.quote.exchange_time_ms or 0
                for writer in writers.values()
                for image in writer.images.values()
            ),
            default=0,
        )
        day_ms = day_start_ms(newest_ms)
        if not newest_ms:
            return
        for shard, writer in list(writers.items()):
            if self._rolled_days_ms.get(shard) == day_ms:
                continue
            days = [
                (code, candle)
                for code, image in writer.images.items()
                if (candle := day_candle(image.quote, day_ms)) is not None
            ]
            if not days or await self._write(shard, days, self.history.set_days):
                self._rolled_days_ms[shard] = day_ms
                log.info(
                    "fetcher.day_rolled", shard=shard, scrips=len(days), day_ms=day_ms
                )

    async def _write(self, shard: int, candles: Sequence[Finished], to: Write) -> bool:
        """Whether they are stored; not where the shard is not ours."""
        await self.core.publisher.idle()
        lease = self.core.terms.lease_of(shard)
        if lease is None or not await to(lease, candles):
            return False
        self.core.metrics.candles.inc(len(candles))
        return True
