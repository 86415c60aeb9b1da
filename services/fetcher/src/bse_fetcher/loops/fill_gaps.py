"""Fills the minutes that were missed, of hot scrips, one scrip at a time: from the exchange's own minutes, or, where
they can't be had, from the next source that keeps any.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from bse_fetcher.core import Core
from bse_fetcher.polling.demand import Demand
from bse_fetcher.sources.errors import ExchangeError, NotAsked
from bse_fetcher.sources.guard import Guard
from bse_fetcher.sources.protocol import MinuteSource
from bse_shared.quotes.candles import (
    CLOSES_AFTER_MS,
    MINUTE_MS,
    Candle,
    CandleFlag,
)
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.position import shard_of
from bse_shared.redis_edge.market_history import MarketHistory


log = structlog.get_logger()


@dataclass(slots=True)
class GapFiller:
    """A scrip is looked at when it becomes hot, and again after a pause of the feed (`pauses` counts them)."""

    core: Core
    sources: Sequence[tuple[MinuteSource, Guard]]
    """The first that has minutes of a scrip is believed."""
    history: MarketHistory
    demand: Demand
    is_wanted: Callable[[], bool]
    pauses: Callable[[], int]
    _filled: dict[int, int] = field(default_factory=dict)
    _again_at_ms: dict[int, int] = field(default_factory=dict)
    """When the minute is over that was under way when a scrip was filled."""

    async def step(self) -> None:
        """Fill one scrip, if one is due."""
        core = self.core
        if not core.terms.active or not self.is_wanted():
            return
        pauses = self.pauses()
        now_ms = core.store.now_ms()
        hot = self.demand.hot(now_ms)
        known = core.instruments.master.by_code
        due = [
            c
            for c in hot
            if c in known and core.terms.holds(c) and self._is_due(c, pauses, now_ms)
        ]
        if not due:
            return
        code = due[0]
        candles = await self._minutes(core.instruments.master.by_code[code])
        if candles is None:
            return
        if await self._fill(code, self._over(code, candles)):
            self._filled[code] = pauses
        else:
            self._filled.pop(code, None)

    def _is_due(self, code: int, pauses: int, now_ms: int) -> bool:
        again_at_ms = self._again_at_ms.get(code)
        return self._filled.get(code) != pauses or (
            again_at_ms is not None and now_ms >= again_at_ms
        )

    def _over(self, code: int, candles: list[Candle]) -> list[Candle]:
        """Without the minute under way: half of it would take the place of what was seen, and be believed for good."""
        now_ms = self.core.store.now_ms()
        self._again_at_ms.pop(code, None)
        over = []
        for candle in candles:
            over_at_ms = candle.start_ms + MINUTE_MS + CLOSES_AFTER_MS
            if candle.start_ms <= now_ms < over_at_ms:
                self._again_at_ms[code] = over_at_ms
            else:  # of another day too, where the exchange lives in one
                over.append(candle)
        return over

    async def _minutes(self, wanted: Instrument) -> list[Candle] | None:
        """The minutes as the first source tells them that has any; None where none could be asked."""
        answers: list[list[Candle]] = []
        for source, guard in self.sources:
            try:
                answers.append(await guard.call(partial(_ask, source, wanted)))
            except NotAsked:
                continue
            except ExchangeError as error:
                log.warning(
                    "fetcher.minutes_failed",
                    source=source.name,
                    code=wanted.code,
                    error=str(error),
                )
                continue
            if answers[-1]:
                break
        return answers[-1] if answers else None

    async def _fill(self, code: int, candles: list[Candle]) -> bool:
        """Whether what was missed is stored now."""
        lease = self.core.terms.lease_of(shard_of(code, self.core.terms.shards))
        if lease is None:
            return False
        if not candles:
            return True
        held = await self.history.minutes(code, candles[-1].start_ms)
        whole = {c.start_ms for c in held if not c.flags & CandleFlag.GAP}
        missed = [(code, c) for c in candles if c.start_ms not in whole]
        if not missed:
            return True
        if not await self.history.append_minutes(lease, missed):
            return False
        self.core.metrics.candles.inc(len(missed))
        return True


async def _ask(source: MinuteSource, wanted: Instrument) -> list[Candle]:
    return source.read_minutes(await source.ask_minutes(wanted), wanted)
