"""The public JSON as models: what OpenAPI tells, and what the tests hold the hand-written bytes against."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model

from bse_gateway.lookup import Reason
from bse_gateway.subscription_set import Action, Refusal


Rupees = Annotated[
    Decimal,
    WithJsonSchema({"type": "number", "multipleOf": 0.01, "examples": [2901.35]}),
]
Percent = Annotated[
    Decimal, WithJsonSchema({"type": "number", "multipleOf": 0.01, "examples": [0.39]})
]
EpochMs = Annotated[int, Field(examples=[1795334400000])]
Level = tuple[Rupees, int]


class Reply(BaseModel):
    """An answer. What is not described here does not occur."""

    model_config = ConfigDict(extra="forbid")


class PositionReply(Reply):
    """Where in its shard's history the quote last changed: compare epoch first, then sequence."""

    epoch: int = Field(examples=[1795330000000])
    sequence: int = Field(examples=[12])


def _left_out() -> None:
    """The value of a member that was not asked for: none, and no default that a contract would tell."""


class QuoteReply(Reply):
    """One scrip's market data. Prices are rupees with exactly two decimals; `null` is unknown."""

    symbol: str = Field(examples=["RELIANCE"])
    code: int = Field(description="scrip code, the identity", examples=[500325])
    isin: str | None = Field(examples=["INE002A01018"])
    name: str | None = Field(examples=["Reliance Industries Ltd"])
    group: str | None = Field(examples=["A"])
    last: Rupees | None
    open: Rupees | None
    high: Rupees | None
    low: Rupees | None
    previous_close: Rupees | None
    volume: int | None = Field(description="shares traded today", examples=[396428])
    turnover: Rupees | None = Field(description="rupees traded today")
    trades: int | None = Field(examples=[12833])
    average_price: Rupees | None
    bid: Rupees | None
    bid_quantity: int | None
    ask: Rupees | None
    ask_quantity: int | None
    bids: list[Level] | None = Field(
        description="[price, shares], best first, up to five"
    )
    asks: list[Level] | None = Field(
        description="[price, shares], best first, up to five"
    )
    lower_circuit: Rupees | None
    upper_circuit: Rupees | None
    low_52_week: Rupees | None
    high_52_week: Rupees | None
    exchange_time_ms: EpochMs | None = Field(
        description="the exchange's stamp of the last trade"
    )
    source: (
        Literal["none", "bse", "yahoo", "broker", "cache", "replay", "unknown"] | None
    )
    condition: Literal["good", "delayed", "suspect", "halted", "unknown"] | None = (
        Field(description="what the platform holds against the price")
    )
    change: Rupees | None = Field(description="last less previous close")
    change_percent: Percent | None = Field(
        description="of the previous close; rounded to two decimals, a half to the even digit"
    )
    as_of: str | None = Field(
        description="`exchange_time_ms` in Indian time",
        examples=["2026-11-22T09:30:00.000+05:30"],
    )
    changed_at_ms: EpochMs = Field(
        description="when the answer with the newest change was received"
    )
    position: PositionReply
    quality: Literal["live", "delayed", "stale", "closed", "halted", "suspect"] = Field(
        description="`live` only while the market is open and the source confirmed the price"
        " within the last 7 s"
    )
    confirmed_at_ms: EpochMs | None = Field(
        description="when the source last confirmed the price, changed or not"
    )
    age_ms: int | None = Field(
        description="how long ago that was when this was answered", examples=[840]
    )


ALWAYS = frozenset({"symbol", "code", "position"})
"""No choice of members leaves these out, nor what tells how far the price may be trusted."""

_OF_THE_MOMENT = {"quality", "confirmed_at_ms", "age_ms"}


class _Partial(Reply):
    """A quote with the members of `fields` only, and those that are always there."""


PartialQuoteReply = create_model(
    "PartialQuoteReply",
    __base__=_Partial,
    __doc__=_Partial.__doc__,
    **{  # type: ignore[call-overload]
        name: (
            field.annotation,
            field
            if name in ALWAYS | _OF_THE_MOMENT
            else Field(default_factory=_left_out, description=field.description),
        )
        for name, field in QuoteReply.model_fields.items()
    },
)


class IdentifierError(Reply):
    """Why there is nothing for one identifier."""

    symbol: str = Field(description="as you sent it", examples=["XX"])
    reason: Reason | Refusal
    message: str


class BatchReply(Reply):
    """Quotes in the order asked, each scrip once, and the identifiers without one."""

    quotes: list[QuoteReply | PartialQuoteReply]
    errors: list[IdentifierError]
    server_time_ms: EpochMs


class SessionReply(Reply):
    """The market session as the fetcher last told it."""

    phase: str = Field(examples=["open"])
    is_open: bool
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


class DepthReply(Reply):
    """One scrip's order book. Prices are rupees with exactly two decimals; `null` is unknown."""

    symbol: str = Field(examples=["RELIANCE"])
    code: int = Field(examples=[500325])
    last: Rupees | None
    bid: Rupees | None
    bid_quantity: int | None
    ask: Rupees | None
    ask_quantity: int | None
    bids: list[Level] | None = Field(
        description="[price, shares], best first, up to five"
    )
    asks: list[Level] | None = Field(
        description="[price, shares], best first, up to five"
    )
    lower_circuit: Rupees | None
    upper_circuit: Rupees | None
    source: str | None
    as_of: str | None
    position: PositionReply
    quality: str = Field(description="as of the whole quote", examples=["live"])
    confirmed_at_ms: EpochMs | None
    age_ms: int | None


class CandleReply(Reply):
    """What was traded of a scrip within a time. Prices are rupees with exactly two decimals."""

    start_ms: EpochMs
    open: Rupees
    high: Rupees
    low: Rupees
    close: Rupees
    volume: int = Field(description="shares")
    gap: bool = Field(
        description="the feed was not watched all the time: something may be missing, or belong to before"
    )
    filled: bool = Field(
        description="read later from the exchange's own minutes, in whole or in part"
    )
    complete: bool = Field(description="false: under way, it may still change")


class CandlesReply(Reply):
    """Candles that begin in a span of time, in order. What was not traded has none."""

    symbol: str = Field(examples=["RELIANCE"])
    code: int = Field(examples=[500325])
    interval: Literal["1m", "5m", "15m", "1h", "1d"]
    from_ms: EpochMs
    to_ms: EpochMs = Field(description="not included")
    cut: bool = Field(
        description="true: you asked for more than one answer reaches; ask again with `to` = `from_ms`"
    )
    candles: list[CandleReply]


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


class InstrumentReply(Reply):
    """Who a scrip is."""

    symbol: str = Field(examples=["RELIANCE"])
    code: int = Field(description="scrip code, the identity", examples=[500325])
    isin: str | None = Field(examples=["INE002A01018"])
    name: str | None = Field(examples=["Reliance Industries Ltd"])
    group: str | None = Field(examples=["A"])
    indices: list[str] = Field(
        description="indices it is in, as far as the source told", examples=[["SENSEX"]]
    )


class SearchReply(Reply):
    """Matches, the best first."""

    instruments: list[InstrumentReply]


class InstrumentsReply(Reply):
    """One page of scrips."""

    instruments: list[InstrumentReply]
    total: int = Field(description="scrips in the selection")
    next: int | None = Field(description="send as `after` for the next page")


Points = Annotated[
    Decimal,
    WithJsonSchema({"type": "number", "multipleOf": 0.01, "examples": [85231.92]}),
]


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


class SubscribeRequest(BaseModel):
    """What to put into a client's set."""

    model_config = ConfigDict(extra="forbid", strict=True)

    client_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="whose set; left out: a new id is made. Who knows the id may change the set",
    )
    symbols: list[str] = Field(
        description="symbols, scrip codes or ISINs in any case",
        examples=[["RELIANCE", "532540"]],
        json_schema_extra={"minItems": 1},  # refused with a problem of its own
    )
    mode: Literal["ltp", "quote", "full"] | None = Field(
        None,
        description="how much of a quote. Left out: a scrip of the set stays as it is, a new one comes in `quote`,"
        " or in the mode that all others are in",
    )
    action: Action = Field(
        "set", description="replace the set, add to it, remove from it"
    )


class SubscribedScrip(Reply):
    """One scrip of the set."""

    symbol: str
    code: int
    mode: str | None = Field(
        examples=["quote"], description="null where fields were chosen by name"
    )
    fields: list[str] | None = Field(
        description="chosen over the stream instead of a mode"
    )
    max_hz: float | None = Field(description="at most so many updates a second")
    every: bool = Field(description="each change arrives, none merged")


class StreamReply(Reply):
    """Where to connect; both addresses carry the client id."""

    websocket: str = Field(examples=["ws://127.0.0.1:8001/ws?client_id=c-1"])
    socketio: str = Field(examples=["http://127.0.0.1:8001/socket.io/?client_id=c-1"])


class SubscribeReply(Reply):
    """The full resulting set."""

    client_id: str
    symbols: list[SubscribedScrip]
    rejected: list[IdentifierError]
    stream: StreamReply
    ticket: str = Field(
        description="opens the stream once, within 30 s, for this client id as whoever asked here"
    )


class ProblemReply(BaseModel):
    """A problem (RFC 9457). More members may follow, by type."""

    type: str = Field(examples=["/problems/unknown-symbol"])
    title: str = Field(examples=["No such scrip"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No scrip has this symbol, scrip code or ISIN."])
    instance: str = Field(description="names the request, as X-Request-ID does")
