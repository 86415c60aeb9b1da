"""The protocol's answers as models: what OpenAPI tells of them."""

from typing import Literal

from pydantic import Field

from bse_gateway.rest.replies.base import Percent, Reply, Rupees


class UdfErrorReply(Reply):
    """The protocol's error."""

    s: Literal["error"]
    errmsg: str


class UdfNoDataReply(Reply):
    """No bars in the range."""

    s: Literal["no_data"]
    nextTime: int | None = Field(  # noqa: N815 - the protocol's name
        None, description="when the last bar before the range began, in seconds"
    )


class UdfBarsReply(Reply):
    """Bars by time, a list for each member; times in seconds."""

    s: Literal["ok"]
    t: list[int]
    o: list[Rupees]
    h: list[Rupees]
    l: list[Rupees]  # noqa: E741 - the protocol's name
    c: list[Rupees]
    v: list[int]


class UdfChoiceReply(Reply):
    """One choice of a list."""

    value: str
    name: str
    desc: str = ""


class UdfConfigReply(Reply):
    """What the datafeed can do."""

    supports_search: bool
    supports_group_request: bool
    supports_marks: bool
    supports_timescale_marks: bool
    supports_time: bool
    supported_resolutions: list[str]
    exchanges: list[UdfChoiceReply]
    symbols_types: list[UdfChoiceReply]


class UdfSymbolReply(Reply):
    """How a chart is to show a scrip."""

    name: str = Field(examples=["RELIANCE"])
    ticker: str
    description: str
    type: str
    exchange: str
    listed_exchange: str
    timezone: str
    session: str = Field(examples=["0915-1530"])
    session_holidays: str = Field(examples=["20261225"])
    format: Literal["price"]
    minmov: int
    pricescale: int
    currency_code: str
    volume_precision: int
    has_intraday: bool
    has_daily: bool
    intraday_multipliers: list[str]
    supported_resolutions: list[str]


class UdfFoundReply(Reply):
    """One match."""

    symbol: str
    full_name: str
    description: str
    exchange: str
    ticker: str
    type: str


class UdfValues(Reply):
    """A quote in the protocol's names, and how far it may be trusted. What is unknown is left out."""

    short_name: str | None = None
    exchange: str | None = None
    description: str | None = None
    lp: Rupees | None = None
    ch: Rupees | None = None
    chp: Percent | None = None
    ask: Rupees | None = None
    bid: Rupees | None = None
    open_price: Rupees | None = None
    high_price: Rupees | None = None
    low_price: Rupees | None = None
    prev_close_price: Rupees | None = None
    volume: int | None = None
    original_name: str | None = None
    quality: str | None = None


class UdfQuoteReply(Reply):
    """One scrip's quote, or that there is none."""

    s: Literal["ok", "error"]
    n: str = Field(description="the symbol as you sent it")
    v: UdfValues


class UdfQuotesReply(Reply):
    """Quotes in the order asked."""

    s: Literal["ok"]
    d: list[UdfQuoteReply]
