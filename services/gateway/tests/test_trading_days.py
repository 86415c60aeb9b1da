"""The calendar as people ask for it."""

import datetime as dt

import pytest

from bse_gateway.trading_days import holidays, trading_day
from bse_shared.sessions.calendar import builtin_calendar
from bse_shared.sessions.session import DAY_MS, Phase


CALENDAR = builtin_calendar()


def test_a_normal_day_has_its_phases_in_order():
    """Without overlap, within the day, the continuous one among them."""
    day = trading_day(CALENDAR, dt.date(2026, 11, 20))
    assert (True, False, True) == (day.is_trading_day, day.special, day.covered)
    assert Phase.OPEN in {each.phase for each in day.sessions}
    edges = [edge for _, start, end in day.sessions for edge in (start, end)]
    assert sorted(edges) == edges
    assert edges[-1] - edges[0] < DAY_MS


@pytest.mark.parametrize(
    ("date", "reason"),
    [(dt.date(2026, 11, 21), "weekend"), (dt.date(2026, 12, 25), "Christmas")],
)
def test_a_day_without_trading_says_why(date, reason):
    """And has no sessions."""
    day = trading_day(CALENDAR, date)
    assert (False, []) == (day.is_trading_day, day.sessions)
    assert reason in day.reason


def test_holidays_are_weekdays_or_special_days():
    """In order, weekends left out."""
    found = holidays(CALENDAR, 2026)
    assert sorted(found, key=lambda day: day.date) == found
    assert dt.date(2026, 12, 25) in {day.date for day in found}
    assert all(day.special or day.date.weekday() < 5 for day in found)


def test_a_year_that_is_not_known_has_no_holidays():
    """Rather none than made-up ones."""
    assert [] == holidays(CALENDAR, 2150)


@pytest.mark.parametrize("date", [dt.date(1971, 1, 1), dt.date(2190, 1, 31)])
def test_days_far_away_follow_the_weekday_and_say_so(date):
    """`covered` is false."""
    assert not trading_day(CALENDAR, date).covered
