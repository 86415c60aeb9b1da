"""What a client wants of a scrip: which fields, and how often at most, or each change."""

from collections.abc import Sequence
from typing import NamedTuple

from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.quote import FIELDS


MAX_HZ = 50.0
"""The flush tick of 20 ms: nothing is sent more often."""

_NUMBER = {field.public_name: field.number for field in FIELDS}
_MODE_OF = {mask: mode for mode, mask in MODE_MASKS.items()}


class Want(NamedTuple):
    """The fields (a mask), and the least time between two updates of the scrip in ms; 0: every tick.

    `every`: each change as a row of its own, none merged.
    """

    mask: int
    interval_ms: int = 0
    every: bool = False


class UnknownField(ValueError):
    """A field name that no quote has."""


def mask_of_fields(names: Sequence[str]) -> int:
    """The mask of public field names. Raises UnknownField."""
    mask = 0
    for name in names:
        if name not in _NUMBER:
            raise UnknownField(f"no field {name!r}; there are {', '.join(_NUMBER)}")
        mask |= 1 << _NUMBER[name]
    return mask


def interval_of(max_hz: float | None) -> int:
    """The granted interval in ms for at most `max_hz` updates a second; None is no limit."""
    if max_hz is None or max_hz >= MAX_HZ:
        return 0
    return max(1, round(1000 / max_hz))


def mode_of(want: Want) -> Mode | None:
    """The mode that the fields make, if they make one."""
    return _MODE_OF.get(want.mask)


def names_of(want: Want) -> list[str]:
    """The public names of the fields."""
    return [f.public_name for f in FIELDS if want.mask >> f.number & 1]


def described(want: Want) -> dict[str, object]:
    """How a want is told to the client: its mode or fields, and its rate if it has one."""
    mode = mode_of(want)
    found: dict[str, object] = (
        {"mode": str(mode)} if mode else {"fields": names_of(want)}
    )
    if want.interval_ms:
        found["max_hz"] = round(1000 / want.interval_ms, 3)
    if want.every:
        found["every"] = True
    return found
