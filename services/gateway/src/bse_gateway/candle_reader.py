"""Candles of a scrip: finished minutes and days from the store, those under way from what this gateway saw."""

from typing import NamedTuple

from bse_gateway.candle_series import Interval, Span, is_complete, series, span_of
from bse_gateway.lookup import Market
from bse_gateway.minutes_under_way import MinutesUnderWay
from bse_shared.quotes.candles import Candle, day_candle, day_start_ms
from bse_shared.quotes.quote import Condition
from bse_shared.redis_edge.market_history import MarketHistory


class Bar(NamedTuple):
    """A candle, and whether it may still change."""

    candle: Candle
    complete: bool


class CandleReader:
    """Reads them. Raises StoreUnavailable."""

    def __init__(
        self, market: Market, history: MarketHistory, under_way: MinutesUnderWay
    ):
        self._market = market
        self._under_way = under_way
        self._history = history

    def span(
        self, code: int, interval: Interval, from_ms: int | None, to_ms: int | None
    ) -> Span:
        """What is asked for. Left out: the day on which the scrip last traded, or the year up to it."""
        now_ms = self._market.now_ms()
        image = self._market.table.get(code)
        traded_ms = image.quote.exchange_time_ms if image else None
        return span_of(interval, from_ms, to_ms, traded_ms or now_ms, now_ms)

    async def bars(self, code: int, interval: Interval, span: Span) -> list[Bar]:
        """The candles that begin in the span, by time."""
        if interval is Interval.DAY:
            found = await self._days(code)
        else:
            found = await self._minutes(code, interval, span)
        return [
            bar for bar in found if span.from_ms <= bar.candle.start_ms < span.to_ms
        ]

    async def _minutes(self, code: int, interval: Interval, span: Span) -> list[Bar]:
        minutes: list[Candle] = []
        for day_ms in span.days_ms:
            minutes += await self._history.minutes(code, day_ms)
        stored = {minute.start_ms for minute in minutes}
        newer = [m for m in self._under_way.of(code) if m.start_ms not in stored]
        minutes = sorted(minutes + newer)
        if interval is Interval.MINUTE:
            return [Bar(minute, minute.start_ms in stored) for minute in minutes]
        now_ms = self._market.now_ms()
        return [
            Bar(candle, is_complete(candle, interval, now_ms))
            for candle in series(minutes, interval)
        ]

    async def _days(self, code: int) -> list[Bar]:
        bars = [Bar(day, complete=True) for day in await self._history.days(code)]
        today = self._day_under_way(code)
        if today and (not bars or bars[-1].candle.start_ms < today.start_ms):
            bars.append(Bar(today, complete=False))
        return bars

    def _day_under_way(self, code: int) -> Candle | None:
        image = self._market.table.get(code)
        if image is None or image.quote.condition == Condition.SUSPECT:
            return None
        traded_ms = image.quote.exchange_time_ms
        if traded_ms is None:
            return None
        return day_candle(image.quote, day_start_ms(traded_ms))
