"""Days of the exchange's calendar."""

import datetime as dt

from pydantic import Field

from bse_gateway.rest.replies.base import EpochMs, Reply


class StretchReply(Reply):
    """One phase of a day."""

    phase: str = Field(examples=["open"])
    starts_at_ms: EpochMs
    ends_at_ms: EpochMs


class DayReply(Reply):
    """One date of the exchange's calendar."""

    date: dt.date
    is_trading_day: bool
    reason: str = Field(
        description="the holiday's name, `weekend`, a special session's name, …"
    )
    special: bool = Field(description="the day has a session of its own")
    covered: bool = Field(
        description="false: beyond what the calendar knows; the weekday alone decides"
    )
    sessions: list[StretchReply] = Field(
        description="phases in order; empty also where the times were never told"
    )


class DaysReply(Reply):
    """Days of the exchange's calendar."""

    days: list[DayReply]
    calendar_as_of: dt.date = Field(description="when its facts were last checked")
    calendar_until: dt.date = Field(description="the last date it knows")


class HolidaysReply(Reply):
    """Holidays and special sessions of a year."""

    year: int
    days: list[DayReply]
    calendar_as_of: dt.date
    calendar_until: dt.date
