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


class SearchReply(Reply):
    """Matches, the best first."""

    instruments: list[InstrumentReply]


class InstrumentsReply(Reply):
    """One page of scrips."""

    instruments: list[InstrumentReply]
    total: int = Field(description="scrips in the selection")
    next: int | None = Field(description="send as `after` for the next page")
