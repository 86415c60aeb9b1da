"""What all public JSON shares: numbers as they are told, the strict base, and what goes wrong."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from bse_gateway.identifiers import Reason
from bse_gateway.subscription_set import Refusal


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


class IdentifierError(Reply):
    """Why there is nothing for one identifier."""

    symbol: str = Field(description="as you sent it", examples=["XX"])
    reason: Reason | Refusal
    message: str


Points = Annotated[
    Decimal,
    WithJsonSchema({"type": "number", "multipleOf": 0.01, "examples": [85231.92]}),
]


class ProblemReply(BaseModel):
    """A problem (RFC 9457). More members may follow, by type."""

    type: str = Field(examples=["/problems/unknown-symbol"])
    title: str = Field(examples=["No such scrip"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No scrip has this symbol, scrip code or ISIN."])
    instance: str = Field(description="names the request, as X-Request-ID does")


def whole_number(value: object) -> object:
    """Only what JSON has as one. Raises ValueError."""
    if isinstance(value, (bool, str)):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic takes these
    return value
