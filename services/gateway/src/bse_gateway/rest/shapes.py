"""How quotes are written: in which format, and which of their members. Pure.

The modes are those of the stream, with what follows from their fields. A mode and a choice of members add up.
"""

import hashlib
from typing import NamedTuple

from bse_gateway.rest.negotiation import JSON, MSGPACK
from bse_gateway.rest.replies.quotes import ALWAYS
from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.quote import FIELDS


DERIVED = frozenset({"change", "change_percent", "as_of"})
"""What follows from the fields of every mode."""


class Shape(NamedTuple):
    """How quotes are written: the media type, and which settled members (None: all). Tags carry the label."""

    media_type: str
    names: frozenset[str] | None
    label: str


def members_of(mode: Mode) -> frozenset[str] | None:
    """The settled members of a quote in a mode; None: all there are."""
    if mode is Mode.FULL:
        return None
    mask = MODE_MASKS[mode]
    fields = (field for field in FIELDS if mask >> field.number & 1)
    return ALWAYS | DERIVED | {field.public_name for field in fields}


def _in_modes(media_type: str, label: str) -> dict[Mode, Shape]:
    return {
        mode: Shape(
            media_type,
            members_of(mode),
            label if mode is Mode.FULL else f"{label}.{mode}",
        )
        for mode in Mode
    }


_SHAPES = {
    JSON: _in_modes(JSON, "json"),
    MSGPACK: _in_modes(MSGPACK, "msgpack"),
}
JSON_SHAPES = tuple(_SHAPES[JSON].values())
WHOLE_JSON = _SHAPES[JSON][Mode.FULL]
WHOLE_MSGPACK = _SHAPES[MSGPACK][Mode.FULL]


def shape_of(
    media_type: str, names: frozenset[str] | None, mode: Mode | None = None
) -> Shape:
    """The shape with these members and those of the mode; with neither, all there are."""
    held = _SHAPES[media_type]
    if names is None:
        return held[mode or Mode.FULL]
    whole = ALWAYS if mode is None else members_of(mode)
    if whole is None:
        return held[Mode.FULL]
    chosen = whole | names
    digest = hashlib.blake2b(",".join(sorted(chosen)).encode(), digest_size=6)
    return Shape(media_type, chosen, f"{held[Mode.FULL].label}.{digest.hexdigest()}")
