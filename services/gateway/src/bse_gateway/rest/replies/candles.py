"""Candles."""

from typing import Literal

from pydantic import Field

from bse_gateway.rest.replies.base import EpochMs, Reply, Rupees


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
