"""`/api/market/days`, `/api/market/holidays`: the exchange's calendar."""

import datetime as dt
import re
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BeforeValidator

from bse_gateway.calendar_follower import CalendarFollower
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.replies.calendar import (
    DayReply,
    DaysReply,
    HolidaysReply,
    StretchReply,
)
from bse_gateway.rest.routes import add_get
from bse_gateway.trading_days import TradingDay, holidays, trading_day
from bse_shared.pacing.clock import Clock
from bse_shared.sessions.calendar import MarketCalendar
from bse_shared.sessions.session import day_number


DAYS_MAX = 31
FIRST_YEAR, LAST_YEAR = 1971, 2189
_PATTERN = r"^(197[1-9]|19[89]\d|20\d\d|21[0-8]\d)-\d\d-\d\d$"


def _written_out(text: object) -> object:
    """Only `YYYY-MM-DD`: other forms (seconds, week dates) are more often mistakes than dates."""
    if isinstance(text, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError("write it as YYYY-MM-DD")
    return text


Date = Annotated[
    dt.date | None,
    BeforeValidator(_written_out),
    Query(
        ge=dt.date(FIRST_YEAR, 1, 1),
        le=dt.date(LAST_YEAR, 12, 31),
        description="a date in India, `YYYY-MM-DD`",
        # The years, which a contract can't bound otherwise.
        json_schema_extra={"pattern": _PATTERN},
    ),
]


class CalendarDoor:
    """The routes."""

    def __init__(self, calendar: CalendarFollower, clock: Clock):
        self._follower = calendar
        self._clock = clock

    async def days(
        self,
        first: Annotated[Date, Query(alias="from")] = None,
        count: Annotated[int, Query(alias="days", ge=1, le=DAYS_MAX)] = 7,
    ) -> DaysReply:
        """The sessions of each day: so many, from a date on, or from today."""
        calendar = self._follower.calendar
        begin = first or self._today()
        dates = [begin + dt.timedelta(days=ahead) for ahead in range(count)]
        return DaysReply(
            days=[_reply(trading_day(calendar, date)) for date in dates],
            **_known(calendar),
        )

    async def holidays(
        self, year: Annotated[int | None, Query(ge=FIRST_YEAR, le=LAST_YEAR)] = None
    ) -> HolidaysReply:
        """Weekdays without trading, and days with a session of their own. A year that is not known has none."""
        calendar = self._follower.calendar
        wanted = year or self._today().year
        return HolidaysReply(
            year=wanted,
            days=[_reply(day) for day in holidays(calendar, wanted)],
            **_known(calendar),
        )

    def _today(self) -> dt.date:
        return dt.date.fromordinal(day_number(self._clock.wall_ms()))


def _known(calendar: MarketCalendar) -> dict[str, Any]:
    return {
        "calendar_as_of": calendar.as_of,
        "calendar_until": calendar.covers_until,
    }


def _reply(day: TradingDay) -> DayReply:
    return DayReply(
        date=day.date,
        is_trading_day=day.is_trading_day,
        reason=day.reason,
        special=day.special,
        covered=day.covered,
        sessions=[StretchReply(**each._asdict()) for each in day.sessions],
    )


def add_calendar_routes(app: FastAPI, door: CalendarDoor) -> None:
    """Add the routes."""
    add_get(
        app,
        "/api/market/days",
        door.days,
        *(Kind.INVALID_REQUEST,),
        name="read_days",
        summary="Sessions by day",
        tag="market",
        model=DaysReply,
    )
    add_get(
        app,
        "/api/market/holidays",
        door.holidays,
        *(Kind.INVALID_REQUEST,),
        name="read_holidays",
        summary="Holidays and special sessions",
        tag="market",
        model=HolidaysReply,
    )
