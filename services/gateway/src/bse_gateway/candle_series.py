"""Minutes and days as charts ask for them: joined to longer candles, within a span of time. Pure.

Longer candles begin at 09:15 in India and every so often before and after it, as the exchange's session does.
A minute without a trade has no candle, and a candle is flagged if one of its minutes is.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import reduce
from itertools import groupby
from operator import or_
from typing import NamedTuple

from bse_shared.quotes.candles import (
    CLOSES_AFTER_MS,
    DAY_MS,
    IST_OFFSET_MS,
    MINUTE_MS,
    Candle,
    day_start_ms,
)


OPENS_AFTER_MS = (9 * 60 + 15) * MINUTE_MS
_ANCHOR_MS = OPENS_AFTER_MS - IST_OFFSET_MS
"""The opening of one day. Every length goes into a day, so that all days open on a step from it."""

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

    def steps(minute: Candle) -> int:
        return (minute.start_ms - _ANCHOR_MS) // length_ms

    return [
        _as_one(_ANCHOR_MS + step * length_ms, list(group))
        for step, group in groupby(minutes, key=steps)
    ]


def is_complete(candle: Candle, interval: Interval, now_ms: int) -> bool:
    """Whether its time is over, late trades included."""
    return candle.start_ms + interval.length_ms + CLOSES_AFTER_MS <= now_ms


def _as_one(start_ms: int, minutes: list[Candle]) -> Candle:
    _, _, highs, lows, _, volumes, flags = zip(*minutes, strict=True)
    return Candle(
        start_ms,
        minutes[0].open_paise,
        max(highs),
        min(lows),
        minutes[-1].close_paise,
        sum(volumes),
        reduce(or_, flags),
    )


def _day_end_ms(at_ms: int) -> int:
    return day_start_ms(at_ms) + DAY_MS
