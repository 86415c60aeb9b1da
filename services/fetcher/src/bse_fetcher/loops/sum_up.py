"""Sums the market up, every few seconds and right after an answer, when nothing is being published.

Each fetcher sums up its own shards. The one that leads joins them, with what the others left of theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bse_fetcher.core import Core
from bse_shared.quotes.candles import day_start_ms
from bse_shared.quotes.market_summary import MarketSummary, Mover, joined, summarise
from bse_shared.quotes.quote import Quote
from bse_shared.quotes.shard_writer import Plan
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.wire.records import MoverRecord, SummaryRecord


MOVERS_MAX = 20
MIN_TURNOVER_PAISE = 10_000_000
"""A lakh of rupees: who leads the market must have been traded by more than one person."""

INTERVAL_MS = 2500.0
"""A little less than a poll's interval: one summary an answer."""


@dataclass(slots=True)
class Summariser:
    """Keeps the summary of the market in the store."""

    core: Core
    history: MarketHistory
    _has_news: bool = False
    _due_ms: float = 0.0

    def took(self, _: Plan) -> None:
        """A plan was committed."""
        self._has_news = True

    async def step(self) -> None:
        """Sum up, where something was published since the last time and it is time again."""
        core = self.core
        if not (core.terms.active and self._has_news):
            return
        if core.clock.monotonic_ms() < self._due_ms:
            return
        self._has_news = False  # whatever is published from here on is news again
        parts: dict[int, MarketSummary] = {}
        for shard in sorted(core.terms.writers):
            await core.publisher.idle()
            if (writer := core.terms.writers.get(shard)) is not None:
                quotes = {code: i.quote for code, i in writer.images.items()}
                parts[shard] = _summary(quotes)
        if not parts:
            return
        self._due_ms = core.clock.monotonic_ms() + INTERVAL_MS
        now_ms = core.store.now_ms()
        if core.terms.leads:
            await self._join(parts, now_ms)
        else:
            await self.history.save_summary_parts(
                {shard: self._record(part, now_ms) for shard, part in parts.items()}
            )

    async def _join(self, own: dict[int, MarketSummary], now_ms: int) -> None:
        missing = [s for s in range(self.core.terms.shards) if s not in own]
        others = await self.history.summary_parts(missing)
        if len(others) < len(missing):
            return  # half a market is no market
        parts = [*own.values(), *map(_summary_of, others)]
        oldest_ms = min([now_ms, *(part.at_ms for part in others)])
        whole = joined(parts, MOVERS_MAX)
        await self.history.save_summary(self._record(whole, oldest_ms))

    def _record(self, found: MarketSummary, at_ms: int) -> SummaryRecord:
        return SummaryRecord(
            at_ms=at_ms,
            since_ms=found.since_ms,
            advances=found.advances,
            declines=found.declines,
            unchanged=found.unchanged,
            untraded=found.untraded,
            turnover_paise=found.turnover_paise,
            gainers=[self._mover(mover) for mover in found.gainers],
            losers=[self._mover(mover) for mover in found.losers],
            most_active=[self._mover(mover) for mover in found.most_active],
        )

    def _mover(self, mover: Mover) -> MoverRecord:
        symbol = self.core.instruments.master.symbol_of(mover.code)
        return MoverRecord(symbol=symbol, **mover._asdict())


def _summary(quotes: dict[int, Quote]) -> MarketSummary:
    newest_ms = max((q.exchange_time_ms or 0 for q in quotes.values()), default=0)
    return summarise(quotes, day_start_ms(newest_ms), MOVERS_MAX, MIN_TURNOVER_PAISE)


def _summary_of(record: SummaryRecord) -> MarketSummary:
    return MarketSummary(
        since_ms=record.since_ms,
        advances=record.advances,
        declines=record.declines,
        unchanged=record.unchanged,
        untraded=record.untraded,
        turnover_paise=record.turnover_paise,
        gainers=_movers(record.gainers),
        losers=_movers(record.losers),
        most_active=_movers(record.most_active),
    )


def _movers(records: Sequence[MoverRecord]) -> tuple[Mover, ...]:
    return tuple(Mover(*(getattr(each, f) for f in Mover._fields)) for each in records)
