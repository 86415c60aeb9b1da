"""Which virtual day it is, and how far it has come (pure): three ways to keep time.

Continuous: a day of 6 h 15 min follows another without pause, stamped in real time.
Session: the wall clock, 09:15-15:30 IST on weekdays (no holiday list).
Replay: one day, n times as fast, which then holds its final values.
"""

from datetime import date, datetime, time, timedelta, timezone
from typing import Protocol

import msgspec


IST = timezone(timedelta(hours=5, minutes=30), "IST")
DAY_LENGTH = timedelta(hours=6, minutes=15)
OPENS = time(9, 15)
RESET = time(9, 0)
CLOSES = time(15, 30)
STAMP_AFTER_CLOSE = time(16, 0)
# A continuous market starts here in its day, so that most scrips have traded.
HEAD_START = timedelta(hours=2, minutes=30)
_SATURDAY = 5


class Moment(msgspec.Struct, frozen=True):
    """A point of a virtual day; `now` is what the exchange's clock shows."""

    day: int
    progress: float
    now: datetime
    opened_at: datetime
    previous_end: datetime
    is_open: bool
    finished: bool

    @property
    def trade_date(self) -> date:
        """Return the date the day is played on."""
        return self.opened_at.date()


class MarketClock(Protocol):
    """Tells the moment of the virtual market at a real time."""

    @property
    def mode(self) -> str:
        """Return the name of this way to keep time."""
        ...

    @property
    def speed(self) -> float:
        """Return how many virtual seconds pass in a real one."""
        ...

    def at(self, now: datetime) -> Moment:
        """Return the moment the market is at."""
        ...


class ContinuousClock(msgspec.Struct, frozen=True):
    """Always open; the first day is already under way at the start."""

    started_at: datetime
    mode: str = "continuous"
    speed: float = 1.0

    def at(self, now: datetime) -> Moment:
        """Return the moment: days follow each other without a pause."""
        minute = self.started_at.replace(second=0, microsecond=0)
        first_open = minute - HEAD_START
        day, into_day = divmod(now - first_open, DAY_LENGTH)
        opened_at = first_open + day * DAY_LENGTH
        progress = into_day / DAY_LENGTH
        return Moment(day, progress, now, opened_at, opened_at, True, False)


class SessionClock(msgspec.Struct, frozen=True):
    """The real trading hours; outside them the last day's final values stand."""

    started_at: datetime
    mode: str = "session"
    speed: float = 1.0

    def at(self, now: datetime) -> Moment:
        """Return the moment: a new day begins at 09:00 and opens at 09:15."""
        today = _session_day(now)
        opened_at = datetime.combine(today, OPENS, IST)
        progress = max(0.0, min(1.0, (now - opened_at) / DAY_LENGTH))
        return Moment(
            day=_weekdays_between(_session_day(self.started_at), today),
            progress=progress,
            now=now,
            opened_at=opened_at,
            previous_end=_end_before(today),
            is_open=opened_at <= now < opened_at + DAY_LENGTH,
            finished=progress >= 1.0,
        )


class ReplayClock(msgspec.Struct, frozen=True):
    """One day from 09:15 of its date, sped up; then it holds."""

    started_at: datetime
    trade_date: date
    speed: float = 1.0
    mode: str = "replay"

    def at(self, now: datetime) -> Moment:
        """Return the moment in virtual time."""
        opened_at = datetime.combine(self.trade_date, OPENS, IST)
        share = (now - self.started_at) / DAY_LENGTH * self.speed
        progress = max(0.0, min(1.0, share))
        return Moment(
            day=0,
            progress=progress,
            now=opened_at + progress * DAY_LENGTH,
            opened_at=opened_at,
            previous_end=_end_before(self.trade_date),
            is_open=progress < 1.0,
            finished=progress >= 1.0,
        )


def _session_day(now: datetime) -> date:
    """Return the weekday whose values stand: today's from 09:00."""
    local = now.astimezone(IST)
    day = local.date()
    return day if _is_weekday(day) and local.time() >= RESET else _weekday_before(day)


def _is_weekday(day: date) -> bool:
    return day.weekday() < _SATURDAY


def _weekday_before(day: date) -> date:
    day -= timedelta(days=1)
    while not _is_weekday(day):
        day -= timedelta(days=1)
    return day


def _end_before(day: date) -> datetime:
    return datetime.combine(_weekday_before(day), STAMP_AFTER_CLOSE, IST)


def _weekdays_between(first: date, last: date) -> int:
    days = range(first.toordinal(), last.toordinal())
    return sum(_is_weekday(date.fromordinal(day)) for day in days)
