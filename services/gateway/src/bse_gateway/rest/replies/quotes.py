"""Quotes: what OpenAPI tells of them, and what the tests hold the hand-written bytes against."""

from typing import Annotated, Literal

from pydantic import Field, create_model

from bse_gateway.rest.replies.base import (
    EpochMs,
    IdentifierError,
    Level,
    Percent,
    Reply,
    Rupees,
)


Levels = Annotated[
    list[Level] | None, Field(description="[price, shares], best first, up to five")
]


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
    bids: Levels
    asks: Levels
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


class BatchReply(Reply):
    """Quotes in the order asked, each scrip once, and the identifiers without one."""

    quotes: list[QuoteReply | PartialQuoteReply]
    errors: list[IdentifierError]
    server_time_ms: EpochMs


class DepthReply(Reply):
    """One scrip's order book. Prices are rupees with exactly two decimals; `null` is unknown."""

    symbol: str = Field(examples=["RELIANCE"])
    code: int = Field(examples=[500325])
    last: Rupees | None
    bid: Rupees | None
    bid_quantity: int | None
    ask: Rupees | None
    ask_quantity: int | None
    bids: Levels
    asks: Levels
    lower_circuit: Rupees | None
    upper_circuit: Rupees | None
    source: str | None
    as_of: str | None
    position: PositionReply
    quality: str = Field(description="as of the whole quote", examples=["live"])
    confirmed_at_ms: EpochMs | None
    age_ms: int | None
