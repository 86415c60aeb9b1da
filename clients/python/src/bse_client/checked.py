"""Reading of values from outside: the type asked for, or MalformedMessage."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeVar

from bse_client.errors import MalformedMessage


T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_INT64 = 1 << 63
_TEXT_MAX = 4_096
_DIGITS_MAX = 19


def malformed(problem: str) -> NoReturn:
    """Refuse the message."""
    raise MalformedMessage(problem)


def integer(value: object) -> int:
    """A 64-bit integer; True is none."""
    if type(value) is int and -_INT64 <= value < _INT64:
        return value
    malformed(f"{value!r:.40} is no 64-bit integer")


def count(value: object) -> int:
    """An integer that is not negative."""
    number = integer(value)
    return number if number >= 0 else malformed(f"{number} is negative")


def number(value: object) -> float:
    """A finite number, for rates; never an amount of money."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found):
            return found
    malformed(f"{value!r:.40} is no number")


def text(value: object) -> str:
    """A string that can be written as UTF-8."""
    if type(value) is not str or len(value) > _TEXT_MAX:
        malformed(f"{value!r:.40} is no text of at most {_TEXT_MAX} characters")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        malformed(f"{value!r:.40} is no Unicode text")
    return value


def boolean(value: object) -> bool:
    """True or False."""
    if type(value) is bool:
        return value
    malformed(f"{value!r:.40} is neither true nor false")


def paise_of_rupees(value: object) -> int:
    """The exact paise of a JSON number of rupees."""
    if isinstance(value, Decimal):
        exact = value.is_finite() and len(value.as_tuple().digits) <= _DIGITS_MAX
        if not exact or abs(value) > _INT64:
            malformed(f"{value!r:.40} is no amount in rupees")
        paise = value * 100
        if paise != paise.to_integral_value():
            malformed(f"{value!r:.40} has parts of a paisa")
        return integer(int(paise))
    return integer(integer(value) * 100)


def optional(read: Callable[[object], T]) -> Callable[[object], T | None]:
    """Like `read`, but None stays None."""
    return lambda value: None if value is None else read(value)


def member_of(kind: type[E]) -> Callable[[object], E]:
    """One of the names of an enumeration."""
    names = {str(member): member for member in kind}

    def read(value: object) -> E:
        found = names.get(text(value))
        return found or malformed(f"{value!r:.40} is no {kind.__name__}")

    return read


def entries(value: object) -> list[object]:
    """A list."""
    return value if isinstance(value, list) else malformed("a list was expected")


def row(value: object, length: int) -> list[object]:
    """A list of at least `length` entries: a newer hub may append some."""
    cells = entries(value)
    if len(cells) < length:
        malformed(f"a list of {length} entries was expected, not {len(cells)}")
    return cells


def members(value: object) -> Mapping[object, object]:
    """A map. Members that we do not ask for are of a newer hub, and passed over."""
    return value if isinstance(value, dict) else malformed("a map was expected")
