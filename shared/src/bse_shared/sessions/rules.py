"""The rule of any date: traded or not, at which hours, and why.

It alone knows what outranks what: coverage, then special session, then holiday,
then weekend, then the regime in force. Dates are ordinals (`session.day_number`).
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import get_args

from bse_shared.sessions.calendar_file import (
    CalendarError,
    CalendarFile,
    HolidayRow,
    RegimeRow,
    SpecialRow,
    Weekday,
)
from bse_shared.sessions.hours import Hours, read_hours, read_stages
from bse_shared.sessions.session import iso_date


MAX_COVERED_DAYS = 3_660
FIRST_YEAR, LAST_YEAR = 1990, 2150
_WEEKDAYS = get_args(Weekday)


@dataclass(frozen=True, slots=True)
class DayRule:
    """One date. hours: None for no trading, or at times nobody knows.

    closed_because: the reason when `hours` is None. special: the session's name.
    """

    hours: Hours | None
    closed_because: str = ""
    special: str | None = None
    covered: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The checked facts of a calendar. Compared and hashed by identity."""

    first_day: int
    last_day: int
    weekend: frozenset[int]
    exceptions: dict[int, DayRule]
    regime_starts: tuple[int, ...]
    regime_hours: tuple[Hours, ...]

    def of(self, day: int) -> DayRule:
        """The rule of one date; dates not covered follow the weekday alone."""
        covered = self.first_day <= day <= self.last_day
        if found := self.exceptions.get(day):
            return found
        if (day + 6) % 7 in self.weekend:
            return DayRule(None, "weekend", covered=covered)
        return DayRule(self.regime(day), covered=covered)

    def regime(self, day: int) -> Hours:
        """The hours of a normal day; before the first regime, those of the first."""
        at = bisect_right(self.regime_starts, day) - 1
        return self.regime_hours[max(at, 0)]


def build_rules(file: CalendarFile) -> Rules:
    """Check the facts of a decoded file. Raises CalendarError."""
    first, last = file.covers_from.toordinal(), file.covers_until.toordinal()
    _check_coverage(file)
    rules = Rules(
        first_day=first,
        last_day=last,
        weekend=frozenset(_WEEKDAYS.index(name) for name in file.weekend),
        exceptions={},
        regime_starts=tuple(row.starts_on.toordinal() for row in file.regimes),
        regime_hours=_read_regimes(file.regimes),
    )
    _check_regime_order(rules)
    _check_dates("holidays", file.holidays, rules)
    _check_dates("special_sessions", file.special_sessions, rules)
    specials = _specials(file.special_sessions, rules)
    return replace(rules, exceptions=_holidays(file.holidays) | specials)


def _check_coverage(file: CalendarFile) -> None:
    if file.covers_from.year < FIRST_YEAR:
        raise CalendarError("covers_from", f"before the year {FIRST_YEAR}")
    if file.covers_until.year > LAST_YEAR:
        raise CalendarError("covers_until", f"after the year {LAST_YEAR}")
    days = (file.covers_until - file.covers_from).days + 1
    if days < 1:
        raise CalendarError("covers_until", f"before covers_from {file.covers_from}")
    if days > MAX_COVERED_DAYS:
        raise CalendarError("covers_until", f"covers over {MAX_COVERED_DAYS} days")
    if set(file.weekend) == set(_WEEKDAYS):
        raise CalendarError("weekend", "leaves no weekday for trading")


def _read_regimes(rows: list[RegimeRow]) -> tuple[Hours, ...]:
    return tuple(_regime_hours(f"regimes[{at}]", row) for at, row in enumerate(rows))


def _regime_hours(where: str, row: RegimeRow) -> Hours:
    hours = read_hours(where, row.phases, row.closing_auction_phases)
    stages = read_stages(f"{where}.stages", row.stages, hours.market)
    place = f"{where}.closing_auction_stages"
    rows = row.closing_auction_stages or row.stages
    own = read_stages(place, rows, hours.closing_auction)
    return replace(hours, stages=stages, closing_auction_stages=own)


def _check_regime_order(rules: Rules) -> None:
    starts = rules.regime_starts
    if not starts or starts[0] > rules.first_day:
        problem = f"no regime for covers_from {iso_date(rules.first_day)}"
        raise CalendarError("regimes", problem)
    for at, (before, after) in enumerate(pairwise(starts), start=1):
        if after <= before:
            problem = f"{iso_date(after)} is not after {iso_date(before)}"
            raise CalendarError(f"regimes[{at}].starts_on", problem)


def _check_dates(
    name: str, rows: Iterable[HolidayRow | SpecialRow], rules: Rules
) -> None:
    seen: set[int] = set()
    for at, row in enumerate(rows):
        day = row.date.toordinal()
        if day in seen:
            raise CalendarError(f"{name}[{at}].date", f"{row.date} is listed twice")
        if not rules.first_day <= day <= rules.last_day:
            problem = f"{row.date} is outside covers_from and covers_until"
            raise CalendarError(f"{name}[{at}].date", problem)
        seen.add(day)


def _holidays(rows: list[HolidayRow]) -> dict[int, DayRule]:
    return {row.date.toordinal(): DayRule(None, f"holiday: {row.name}") for row in rows}


def _specials(rows: list[SpecialRow], rules: Rules) -> dict[int, DayRule]:
    return {
        row.date.toordinal(): DayRule(
            _special_hours(f"special_sessions[{at}]", row, rules),
            f"special session: {row.name}, times not notified",
            row.name,
        )
        for at, row in enumerate(rows)
    }


def _special_hours(where: str, row: SpecialRow, rules: Rules) -> Hours | None:
    if isinstance(row.phases, list):
        return read_hours(where, row.phases, row.closing_auction_phases)
    if row.closing_auction_phases is not None:
        problem = "needs phases of its own beside it"
        raise CalendarError(f"{where}.closing_auction_phases", problem)
    return rules.regime(row.date.toordinal()) if row.phases == "full_day" else None
