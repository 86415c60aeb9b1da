"""The faults a client can ask for, and their parameters."""

from typing import Annotated, Literal, get_args

import msgspec


Kind = Literal[
    "forbidden",
    "too_many_requests",
    "server_error",
    "html_200",
    "null_body",
    "empty_body",
    "truncated",
    "slow",
    "hang",
    "missing_field",
    "changed_type",
    "bad_row",
    "duplicate_row",
    "down",
    "frozen",
    "clock_back",
    "shifted_price",
    "redirect",
]
Rows = Literal["one", "all"]
Shape = Literal["commas", "text"]
Problem = Literal[
    "negative_price", "nan_text", "zero_code", "absurd_price", "not_object"
]

KINDS: tuple[str, ...] = get_args(Kind)
# Faults that change the JSON body and let it pass otherwise.
SPOILING = frozenset(
    {
        "truncated",
        "missing_field",
        "changed_type",
        "bad_row",
        "duplicate_row",
        "clock_back",
        "shifted_price",
    }
)

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Duration = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Times = Annotated[int, msgspec.Meta(ge=1)]
Code = Annotated[int, msgspec.Meta(ge=1)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=48)]
Percent = Annotated[float, msgspec.Meta(ge=-90, le=900)]


class FaultRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong, where (part of the path, and of the query), how often and for how long.

    `field`, `rows` and `scripcode` choose what a spoiled body loses; `to` and
    `problem` how it is spoiled; `percent` how far a shifted price is off.
    """

    kind: Kind
    path: str = ""
    query: str = ""
    times: Times | None = None
    seconds: Duration | None = None
    rate: Share = 1.0
    retry_after_s: Annotated[int, msgspec.Meta(ge=0)] = 30
    delay_s: Duration = 2.0
    field: str = "ltradert"
    rows: Rows = "one"
    scripcode: Code | None = None
    to: Shape = "commas"
    problem: Problem = "negative_price"
    hours: Hours = 1
    percent: Percent = 5.0


class WrongFaultError(ValueError):
    """The body asks for no fault that exists."""


def read_fault(body: bytes) -> FaultRequest:
    """Read a request for a fault from JSON."""
    try:
        return msgspec.json.decode(body, type=FaultRequest)
    except msgspec.DecodeError as error:
        raise WrongFaultError(str(error)) from error
