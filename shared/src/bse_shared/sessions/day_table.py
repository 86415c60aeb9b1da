"""One day as a table: the instants at which the answer changes, and the answers.

An answer is built once per stretch of a day and looked up from then on.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from bse_shared.sessions.hours import Hours, next_change, next_open, phase_at, stage_at
from bse_shared.sessions.rules import DayRule, Rules
from bse_shared.sessions.session import (
    MINUTE_MS,
    MarketSession,
    Phase,
    iso_date,
    midnight_ms,
)


MAX_CACHED_DAYS = 64
NOT_COVERED = "calendar does not cover this date"
_DURING = {
    Phase.PRE_OPEN: "pre-open",
    Phase.OPEN: "continuous session",
    Phase.CLOSING: "closing",
    Phase.POST_CLOSE: "post-close",
}


@dataclass(frozen=True, slots=True)
class DayTable:
    """Answers of one day. starts: epoch ms, ascending, the first is midnight."""

    starts: tuple[int, ...]
    sessions: tuple[MarketSession, ...]

    def at(self, now_ms: int) -> MarketSession:
        """The answer at an instant of this day."""
        return self.sessions[bisect_right(self.starts, now_ms) - 1]


@lru_cache(maxsize=MAX_CACHED_DAYS)
def day_table(rules: Rules, day: int) -> DayTable:
    """The table of the day with this ordinal. Same arguments, same table."""
    hours = rules.of(day).hours
    minutes = sorted({0, *(hours.boundaries() if hours else ())})
    return DayTable(
        tuple(_at(day, minute) for minute in minutes),
        tuple(_session(rules, day, minute) for minute in minutes),
    )


def _session(rules: Rules, day: int, minute: int) -> MarketSession:
    rule = rules.of(day)
    hours = rule.hours
    phase = phase_at(hours.market, minute) if hours else Phase.CLOSED
    auction = phase_at(hours.closing_auction, minute) if hours else Phase.CLOSED
    return MarketSession(
        phase=phase,
        closing_auction_phase=auction,
        trading_day=iso_date(_trading_day(rules, day, minute)),
        reason=_reason(rule, phase, minute),
        next_change_at_ms=_next_change_ms(rules, day, minute),
        next_open_at_ms=_next_open_ms(rules, day, minute),
        special=rule.special is not None,
        covered=rule.covered,
        calendar_ends_in_days=rules.last_day - day,
        stage=stage_at(hours.stages, minute) if hours else None,
        closing_auction_stage=stage_at(hours.closing_auction_stages, minute)
        if hours
        else None,
    )


def _reason(rule: DayRule, phase: Phase, minute: int) -> str:
    if not rule.covered:
        return NOT_COVERED
    if rule.hours is None:
        return rule.closed_because
    if phase is not Phase.CLOSED:
        return f"special session: {rule.special}" if rule.special else _DURING[phase]
    return _closed_reason(rule.hours, rule.special, minute)


def _closed_reason(hours: Hours, special: str | None, minute: int) -> str:
    named = f" special session: {special}" if special else ""
    if minute < hours.first_minute:
        return f"before{named or ' pre-open'}"
    if minute >= hours.last_minute:
        return f"after{named or ' post-close'}"
    return f"between sessions{named and f' of{named}'}"


def _trading_day(rules: Rules, day: int, minute: int) -> int:
    hours = rules.of(day).hours
    if hours and minute >= hours.first_minute:
        return day
    # Ends: dates before the covered ones trade on every weekday.
    day -= 1
    while rules.of(day).hours is None:
        day -= 1
    return day


def _next_change_ms(rules: Rules, day: int, minute: int) -> int:
    hours = rules.of(day).hours
    change = next_change(hours.market, minute) if hours else None
    # Ends: dates after the covered ones trade on every weekday. The first phase of
    # a day is a change, since the day before it ended closed.
    while change is None:
        day += 1
        hours = rules.of(day).hours
        change = hours.first_minute if hours else None
    return _at(day, change)


def _next_open_ms(rules: Rules, day: int, minute: int) -> int | None:
    while (rule := rules.of(day)).covered:
        start = next_open(rule.hours.market, minute) if rule.hours else None
        if start is not None:
            return _at(day, start)
        day, minute = day + 1, -1
    return None


def _at(day: int, minute: int) -> int:
    return midnight_ms(day) + minute * MINUTE_MS
