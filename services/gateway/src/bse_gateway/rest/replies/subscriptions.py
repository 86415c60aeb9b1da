"""`POST /api/subscribe`: what is asked and answered."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bse_gateway.rest.replies.base import IdentifierError, Reply
from bse_gateway.subscription_set import Action


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
