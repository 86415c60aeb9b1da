"""What is known of one scrip: the quote, its fields and their wire numbers.

This file alone knows the wire numbers. A field's number is its place in the `Quote` tuple; it is never
reused. To retire a field, keep its place and rename it `retired_N`. New fields go to the end.
"""

from enum import Enum, IntEnum
from typing import NamedTuple


class Kind(Enum):
    """How a field is written for people; inside, every field is an integer or a tuple of integers."""

    PAISE = "paise"
    COUNT = "count"
    TIME_MS = "time_ms"
    LEVELS = "levels"
    SOURCE = "source"
    CONDITION = "condition"


class Source(IntEnum):
    """Where a quote came from."""

    NONE = 0
    BSE = 1
    YAHOO = 2
    BROKER = 3
    CACHE = 4
    REPLAY = 5


class Condition(IntEnum):
    """What the writer knows against a price; what readers add to it (age, session) is `quality`."""

    GOOD = 0
    DELAYED = 1
    SUSPECT = 2
    HALTED = 3


Levels = tuple[tuple[int, int], ...]
"""Order-book side, best first: (price in paise, quantity) per level, at most five."""

Value = int | Levels | None
"""A field's value; None means that the source has said nothing of it."""


class Quote(NamedTuple):
    """One scrip's market data. Prices are integer paise, times are epoch milliseconds UTC."""

    last_paise: int | None = None
    open_paise: int | None = None
    high_paise: int | None = None
    low_paise: int | None = None
    previous_close_paise: int | None = None
    volume: int | None = None
    turnover_paise: int | None = None
    trades: int | None = None
    average_price_paise: int | None = None
    bid_paise: int | None = None
    bid_quantity: int | None = None
    ask_paise: int | None = None
    ask_quantity: int | None = None
    bids: Levels | None = None
    asks: Levels | None = None
    lower_circuit_paise: int | None = None
    upper_circuit_paise: int | None = None
    low_52_week_paise: int | None = None
    high_52_week_paise: int | None = None
    exchange_time_ms: int | None = None
    source: int | None = None
    condition: int | None = None


class Field(NamedTuple):
    """A field's wire number, its name inside, its name in public JSON, and its kind."""

    number: int
    name: str
    public_name: str
    kind: Kind


_KINDS = {
    "volume": Kind.COUNT,
    "trades": Kind.COUNT,
    "bid_quantity": Kind.COUNT,
    "ask_quantity": Kind.COUNT,
    "bids": Kind.LEVELS,
    "asks": Kind.LEVELS,
    "exchange_time_ms": Kind.TIME_MS,
    "source": Kind.SOURCE,
    "condition": Kind.CONDITION,
}

FIELDS: tuple[Field, ...] = tuple(
    Field(number, name, name.removesuffix("_paise"), _KINDS.get(name, Kind.PAISE))
    for number, name in enumerate(Quote._fields)
)
"""All fields by wire number. In public JSON paise become rupees, so the unit leaves the name."""

NUMBER: dict[str, int] = {field.name: field.number for field in FIELDS}

EMPTY = Quote()
