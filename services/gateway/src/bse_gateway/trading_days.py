"""The calendar as people ask for it: days with their sessions, and holidays. Pure."""

import datetime as dt
from typing import NamedTuple

from bse_shared.sessions.calendar import MarketCalendar
from bse_shared.sessions.session import DAY_MS, Phase, midnight_ms


WEEKEND = "weekend"


class Stretch(NamedTuple):
    """One phase of a day, from `starts_at_ms` up to but not including `ends_at_ms`."""

    phase: Phase
    starts_at_ms: int
    ends_at_ms: int


class TradingDay(NamedTuple):
    """One date. `covered`: whether the calendar knows it; it follows the weekday otherwise."""

    date: dt.date
    is_trading_day: bool
    reason: str
    special: bool
    covered: bool
    sessions: list[Stretch]


def trading_day(calendar: MarketCalendar, date: dt.date) -> TradingDay:
    """The date as the calendar has it. Raises ValueError before 1970 and after 2199."""
    starts_ms = midnight_ms(date.toordinal())
    first = calendar.session_at(starts_ms)
    stretches, at_ms = [], starts_ms
    while at_ms < starts_ms + DAY_MS:
        session = calendar.session_at(at_ms)
        change_ms = session.next_change_at_ms
        ends_ms = min(change_ms or starts_ms + DAY_MS, starts_ms + DAY_MS)
        if session.phase is not Phase.CLOSED:
            stretches.append(Stretch(session.phase, at_ms, ends_ms))
        at_ms = ends_ms
    reason = first.reason
    if stretches:
        during = calendar.session_at(stretches[0].starts_at_ms)
        reason = during.reason if first.special else "normal trading day"
    return TradingDay(
        date, bool(stretches), reason, first.special, first.covered, stretches
    )


def holidays(calendar: MarketCalendar, year: int) -> list[TradingDay]:
    """The weekdays of a year without trading, and every day with a session of its own, as far as known."""
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    at, end = max(first, calendar.covers_from), min(last, calendar.covers_until)
    found = []
    while at <= end:
        day = trading_day(calendar, at)
        if day.special or (not day.is_trading_day and day.reason != WEEKEND):
            found.append(day)
        at += dt.timedelta(days=1)
    return found
