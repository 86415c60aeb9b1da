"""The market calendar: is the exchange open, until when, and when next.

The only door of this room that reads a file, and only the one packaged beside it;
a newer calendar (holidays are added days ahead) comes in as bytes.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bse_shared.sessions.calendar_file import CalendarError, decode_file
from bse_shared.sessions.day_table import day_table
from bse_shared.sessions.rules import Rules, build_rules
from bse_shared.sessions.session import MarketSession, day_number


__all__ = [
    "CalendarError",
    "MarketCalendar",
    "builtin_calendar",
    "builtin_calendar_file",
    "parse_calendar",
]


@dataclass(frozen=True, slots=True, eq=False)
class MarketCalendar:
    """The sessions of one market. Immutable, compared by identity.

    as_of: the day the facts were last checked. covers_from, covers_until: the
    first and last date it knows, both included. closing_auction_scrips: the codes
    of those that close by auction; None where nobody told.
    """

    market: str
    as_of: dt.date
    covers_from: dt.date
    covers_until: dt.date
    closing_auction_scrips: frozenset[int] | None
    _rules: Rules

    def session_at(self, now_ms: int) -> MarketSession:
        """The market at an instant, in epoch milliseconds UTC.

        Raises ValueError when `now_ms` is not between the years 1970 and 2200.
        """
        return day_table(self._rules, day_number(now_ms)).at(now_ms)

    def closes_by_auction(self, code: int) -> bool | None:
        """Whether the scrip takes part in the closing auction; None where nobody told."""
        scrips = self.closing_auction_scrips
        return None if scrips is None else code in scrips


def parse_calendar(data: bytes | Mapping[str, object]) -> MarketCalendar:
    """A calendar from its JSON, or from the content already decoded.

    Raises CalendarError, which names the place and the problem.
    """
    file = decode_file(data)
    scrips = file.closing_auction_scrips
    return MarketCalendar(
        file.market,
        file.as_of,
        file.covers_from,
        file.covers_until,
        None if scrips is None else frozenset(scrips),
        build_rules(file),
    )


@cache
def builtin_calendar() -> MarketCalendar:
    """The packaged calendar of BSE equity, read once."""
    return parse_calendar(builtin_calendar_file())


@cache
def builtin_calendar_file() -> bytes:
    """Its file."""
    return files(__package__).joinpath("bse_equity.json").read_bytes()
