"""Three ways to keep virtual time."""

from datetime import date, datetime, timedelta

from bse_exchange_sim.market_clock import (
    DAY_LENGTH,
    HEAD_START,
    IST,
    ContinuousClock,
    ReplayClock,
    SessionClock,
)


START = datetime(2026, 9, 30, 22, 40, 31, tzinfo=IST)


def ist(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, minute, tzinfo=IST)


def test_continuous_market_is_open_at_night() -> None:
    """The continuous market starts inside its day, open, in real time."""
    moment = ContinuousClock(START).at(START)
    assert moment.is_open
    assert not moment.finished
    assert moment.now == START
    assert moment.opened_at == START.replace(second=0) - HEAD_START
    assert 0.39 < moment.progress < 0.41


def test_continuous_days_follow_without_a_pause() -> None:
    """A moment after the day's end the next day is at its beginning."""
    end = START.replace(second=0) - HEAD_START + DAY_LENGTH
    clock = ContinuousClock(START)
    last, first = clock.at(end - timedelta(seconds=1)), clock.at(end)
    assert (last.day, first.day) == (0, 1)
    assert last.progress > 0.999
    assert (first.progress, first.opened_at) == (0.0, end)


def test_session_before_nine_shows_yesterday() -> None:
    """Before 09:00 the last weekday's final values stand."""
    moment = SessionClock(ist(28, 8)).at(ist(28, 8))
    assert (moment.day, moment.trade_date) == (0, date(2026, 9, 25))
    assert (moment.is_open, moment.finished) == (False, True)


def test_session_day_runs_from_opening_to_close() -> None:
    """From 09:00 the new day is empty, from 09:15 it runs, after 15:30 it holds."""
    clock = SessionClock(ist(28, 8))
    reset, noon, evening = (
        clock.at(ist(28, h, m)) for h, m in ((9, 5), (12, 22), (18, 0))
    )
    assert (reset.day, reset.progress, reset.is_open) == (1, 0.0, False)
    assert (noon.day, noon.is_open) == (1, True)
    assert 0.49 < noon.progress < 0.51
    assert (evening.progress, evening.is_open, evening.finished) == (1.0, False, True)


def test_session_skips_the_weekend() -> None:
    """On Sunday Friday's values stand, and Monday is the next day."""
    clock = SessionClock(ist(25, 12))
    assert clock.at(ist(27, 12)).trade_date == date(2026, 9, 25)
    assert clock.at(ist(28, 12)).day == 1


def test_replay_runs_faster_and_holds() -> None:
    """A replay at speed 100 is half over after 112.5 s and holds at 15:30."""
    clock = ReplayClock(START, date(2024, 6, 28), 100.0)
    begin = clock.at(START)
    middle = clock.at(START + timedelta(seconds=112.5))
    end = clock.at(START + timedelta(hours=5))
    assert begin.now == datetime(2024, 6, 28, 9, 15, tzinfo=IST)
    assert (middle.progress, middle.is_open) == (0.5, True)
    assert end.now == datetime(2024, 6, 28, 15, 30, tzinfo=IST)
    assert (end.progress, end.finished, end.is_open) == (1.0, True, False)
