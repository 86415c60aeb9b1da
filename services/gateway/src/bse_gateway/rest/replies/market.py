"""The market as a whole: status, breadth, indices."""

from pydantic import Field

from bse_gateway.rest.replies.base import EpochMs, Percent, Points, Reply


class SessionReply(Reply):
    """The market session as the fetcher last told it."""

    phase: str = Field(
        description="of the scrips that don't close by auction", examples=["open"]
    )
    closing_auction_phase: str = Field(
        description="of the scrips that do", examples=["closing_auction"]
    )
    stage: str | None = Field(
        description="what is done in the call auction that `phase` is: `order_entry` (it may end up to two minutes"
        " early, at random), `limit_only`, `matching`, `buffer`, `transition`; null outside of one",
        examples=["order_entry"],
    )
    closing_auction_stage: str | None
    is_open: bool = Field(description="whether any scrip's price can move")
    special: bool = Field(description="today has a session of its own")
    reason: str
    trading_day: str = Field(examples=["2026-11-20"])
    next_change_at_ms: EpochMs | None
    next_open_at_ms: EpochMs | None
    calendar_ends_in_days: int | None = Field(
        description="days after today that the calendar knows; where few are left a new one is due. Null: a"
        " session without a calendar"
    )


class FeedReply(Reply):
    """How the feed does."""

    state: str = Field(
        description="`ok`, `failing`, `closed`, or `unknown` when no fetcher is heard"
    )
    source: str | None = Field(examples=["bse"])
    age_ms: int | None = Field(description="since the source's last answer")
    last_answer_at_ms: EpochMs | None
    poll_interval_s: float | None


class CountsReply(Reply):
    """How much of the market is held here."""

    instruments: int = Field(description="scrips known")
    quotes: int = Field(description="scrips with a quote")


class MarketReply(Reply):
    """The market and the feed."""

    server_time_ms: EpochMs = Field(
        description="the store's clock, the base of all ages"
    )
    server_time: str | None = Field(examples=["2026-11-22T09:30:00.000+05:30"])
    session: SessionReply | None = Field(description="null until a fetcher was heard")
    feed: FeedReply
    counts: CountsReply


class BreadthReply(Reply):
    """How the scrips of a selection do today, in numbers."""

    advances: int = Field(description="above their previous close")
    declines: int
    unchanged: int
    untraded: int = Field(description="not traded today, or nothing is known of them")
    at_52_week_high: int = Field(description="reached it today")
    at_52_week_low: int
    at_upper_circuit: int = Field(description="stand there now")
    at_lower_circuit: int
    server_time_ms: EpochMs


class IndexReply(Reply):
    """An index: its members, and its own value in points with exactly two decimals; `null` is unknown."""

    name: str = Field(examples=["SENSEX"])
    members: int = Field(description="scrips that are listed in it")
    last: Points | None
    open: Points | None
    high: Points | None
    low: Points | None
    previous_close: Points | None
    change: Points | None
    change_percent: Percent | None
    exchange_time_ms: EpochMs | None = Field(description="the exchange's stamp")
    as_of: str | None = Field(
        description="`exchange_time_ms` in Indian time",
        examples=["2026-11-22T09:30:00.000+05:30"],
    )
    received_at_ms: EpochMs | None
    age_ms: int | None = Field(
        description="since the value was received: it is as old as that, or older"
    )


class IndicesReply(Reply):
    """All indices that scrips are listed in, or that have a value."""

    indices: list[IndexReply]
    server_time_ms: EpochMs
