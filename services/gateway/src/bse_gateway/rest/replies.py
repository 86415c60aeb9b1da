"""The public JSON as models: what OpenAPI tells, and what the tests hold the hand-written bytes against."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

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


class IdentifierError(Reply):
    """Why there is nothing for one identifier."""

    symbol: str = Field(description="as you sent it", examples=["XX"])
    reason: Reason | Refusal
    message: str


class BatchReply(Reply):
    """Quotes in the order asked, each scrip once, and the identifiers without one."""

    quotes: list[QuoteReply]
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
