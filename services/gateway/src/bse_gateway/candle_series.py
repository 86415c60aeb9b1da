"""Minutes and days as charts ask for them: joined to longer candles, within a span of time. Pure.

Longer candles begin at 09:15 in India and every so often before and after it, as the exchange's session does.
A minute without a trade has no candle, and a candle is flagged if one of its minutes is.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from bse_shared.quotes.candles import (
    CLOSES_AFTER_MS,
    DAY_MS,
    MINUTE_MS,
    Candle,
    day_start_ms,
)


OPENS_AFTER_MS = (9 * 60 + 15) * MINUTE_MS
MINUTES_REACH_MS = 7 * DAY_MS
DAYS_REACH_MS = 5 * 366 * DAY_MS
"""One request reaches no further back from its end."""
DAYS_SHOWN_MS = 366 * DAY_MS
"""So far back where nothing is said."""


class Interval(StrEnum):
    """How long a candle is."""

    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def length_ms(self) -> int:
        """In milliseconds."""
        return _LENGTHS_MS[self]


_LENGTHS_MS = {
    Interval.MINUTE: MINUTE_MS,
    Interval.FIVE_MINUTES: 5 * MINUTE_MS,
    Interval.QUARTER: 15 * MINUTE_MS,
    Interval.HOUR: 60 * MINUTE_MS,
    Interval.DAY: DAY_MS,
}


class Span(NamedTuple):
    """From `from_ms` up to but not including `to_ms`; `cut`: it was asked to begin earlier."""

    from_ms: int
    to_ms: int
    cut: bool = False

    @property
    def days_ms(self) -> range:
        """The beginnings of the Indian days that it touches."""
        if self.from_ms >= self.to_ms:
            return range(0)
        return range(day_start_ms(self.from_ms), self.to_ms, DAY_MS)


def span_of(
    interval: Interval,
    from_ms: int | None,
    to_ms: int | None,
    shown_ms: int,
    now_ms: int,
) -> Span:
    """What is asked for, within bounds; left out: the day of `shown_ms`, or the year up to it."""
    end_ms = _day_end_ms(shown_ms)
    if to_ms is not None:
        # Nothing lies in the future, and a span is cut at its beginning.
        end_ms = min(to_ms, max(end_ms, _day_end_ms(now_ms)))
    is_daily = interval is Interval.DAY
    reach_ms = DAYS_REACH_MS if is_daily else MINUTES_REACH_MS
    if from_ms is None:
        default_ms = end_ms - DAYS_SHOWN_MS if is_daily else day_start_ms(end_ms - 1)
        return Span(max(default_ms, 0), end_ms)
    earliest_ms = end_ms - reach_ms
    return Span(max(from_ms, earliest_ms), end_ms, cut=from_ms < earliest_ms)


def series(minutes: Iterable[Candle], interval: Interval) -> list[Candle]:
    """Candles of this length out of minutes that are in order, one each."""
    length_ms = interval.length_ms
    found: list[Candle] = []
    for minute in minutes:
        opens_ms = day_start_ms(minute.start_ms) + OPENS_AFTER_MS
        start_ms = opens_ms + (minute.start_ms - opens_ms) // length_ms * length_ms
        if found and found[-1].start_ms == start_ms:
            found[-1] = _with(found[-1], minute)
        else:
            found.append(minute._replace(start_ms=start_ms))
    return found


def is_complete(candle: Candle, interval: Interval, now_ms: int) -> bool:
    """Whether its time is over, late trades included."""
    return candle.start_ms + interval.length_ms + CLOSES_AFTER_MS <= now_ms


def _with(candle: Candle, minute: Candle) -> Candle:
    return candle._replace(
        high_paise=max(candle.high_paise, minute.high_paise),
        low_paise=min(candle.low_paise, minute.low_paise),
        close_paise=minute.close_paise,
        volume=candle.volume + minute.volume,
        flags=candle.flags | minute.flags,
    )


def _day_end_ms(at_ms: int) -> int:
    return day_start_ms(at_ms) + DAY_MS
