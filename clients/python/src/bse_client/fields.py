"""The fields of a quote: wire numbers, names, units, and the enumerations of protocol version 1.

This file alone knows the wire numbers. They agree with docs/protocol.md, section 2.
"""

from enum import Enum, StrEnum
from typing import NamedTuple


class Kind(Enum):
    """How a field travels."""

    PAISE = "paise"
    COUNT = "count"
    LEVELS = "levels"
    SOURCE = "source"
    CONDITION = "condition"


class Mode(StrEnum):
    """How much of a quote is sent: the last price, the day's summary, or everything."""

    LTP = "ltp"
    QUOTE = "quote"
    FULL = "full"


class Quality(StrEnum):
    """How far a price may be trusted; the place of a member is its wire number."""

    LIVE = "live"
    DELAYED = "delayed"
    STALE = "stale"
    CLOSED = "closed"
    HALTED = "halted"
    SUSPECT = "suspect"


QUALITIES: tuple[Quality, ...] = tuple(Quality)
SOURCES = ("none", "bse", "yahoo", "broker", "cache", "replay")
CONDITIONS = ("good", "delayed", "suspect", "halted")
"""By wire number. JSON carries the names."""


class Field(NamedTuple):
    """A field's wire number, its attribute of `Quote`, its name in JSON, and its kind."""

    number: int
    name: str
    public_name: str
    kind: Kind


_NAMES = (
    "last_paise",
    "open_paise",
    "high_paise",
    "low_paise",
    "previous_close_paise",
    "volume",
    "turnover_paise",
    "trades",
    "average_price_paise",
    "bid_paise",
    "bid_quantity",
    "ask_paise",
    "ask_quantity",
    "bids",
    "asks",
    "lower_circuit_paise",
    "upper_circuit_paise",
    "low_52_week_paise",
    "high_52_week_paise",
    "exchange_time_ms",
    "source",
    "condition",
)

_KINDS = {
    "bids": Kind.LEVELS,
    "asks": Kind.LEVELS,
    "source": Kind.SOURCE,
    "condition": Kind.CONDITION,
}


def _kind_of(name: str) -> Kind:
    return Kind.PAISE if name.endswith("_paise") else _KINDS.get(name, Kind.COUNT)


FIELDS: tuple[Field, ...] = tuple(
    Field(number, name, name.removesuffix("_paise"), _kind_of(name))
    for number, name in enumerate(_NAMES)
)

PUBLIC_NAME: dict[str, str] = {field.name: field.public_name for field in FIELDS}
