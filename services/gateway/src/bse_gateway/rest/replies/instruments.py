"""Who the scrips are."""

from pydantic import Field

from bse_gateway.rest.replies.base import Reply


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


class OneInstrumentReply(InstrumentReply):
    """Who a scrip is, and where it stands in the trading day."""

    closing_auction: bool | None = Field(
        description="whether it closes by auction; null where the calendar does not list such scrips"
    )
    phase: str | None = Field(
        description="of this scrip; null while that depends on `closing_auction` and it is not known, or while no"
        " fetcher was heard",
        examples=["open"],
    )


class SearchReply(Reply):
    """Matches, the best first."""

    instruments: list[InstrumentReply]


class InstrumentsReply(Reply):
    """One page of scrips."""

    instruments: list[InstrumentReply]
    total: int = Field(description="scrips in the selection")
    next: int | None = Field(description="send as `after` for the next page")
