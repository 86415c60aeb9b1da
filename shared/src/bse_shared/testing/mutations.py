"""What may become of a JSON answer on the way, or when its maker changes it, as hypothesis draws it."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st


ODD: tuple[Any, ...] = (
    *(None, True, False, [], {}, [[]], {"a": 1}),
    *(0, -1, 1, 0.5, 1234.5499999, 1e-300, 1e15, 1e300, 1.7e308, -1e308),
    *(2**31, 2**53, 2**63, 2**64, 10**400),
    *("", " ", "-", "--", "NA", "null", "0", "0.00", "-1", "+1,234.50", "1,00,000"),
    *("1439,65", "1e400", "9" * 5000, "\u0663", "\x00", "\ud800", "<b>", "&amp;"),
    *("30 Sep 26 | 13:07", "2026-09-30T13:07:00", "0001-01-01T00:00:00", "9/29/2026"),
)
"""Values that a reader does not wait for; each was seen somewhere, or breaks something that is easily written."""

Place = tuple[Any, Any]
"""A container and the key or index of one of its members."""


@st.composite
def mutated(draw: st.DrawFn, document: Any, edits_max: int = 3) -> bytes:
    """The document with a few members replaced, retyped, gone, doubled, exchanged or added, as JSON."""
    whole = [copy.deepcopy(document)]
    for _ in range(draw(st.integers(1, edits_max))):
        holder, key = draw(st.sampled_from(list(_places(whole))))
        match draw(st.sampled_from(("odd", "retype", "drop", "double", "swap", "add"))):
            case "odd":
                holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "retype":
                holder[key] = _retyped(holder[key])
            case "drop" if holder is not whole:
                del holder[key]
            case "double" if isinstance(holder, list) and holder is not whole:
                holder.insert(key, copy.deepcopy(holder[key]))
            case "swap":
                other, place = draw(st.sampled_from(list(_places(whole))))
                one, two = copy.deepcopy(holder[key]), copy.deepcopy(other[place])
                holder[key], other[place] = two, one
            case "add" if isinstance(holder, dict):
                name = draw(st.text(max_size=8))
                holder[name] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case _:
                pass
    return json.dumps(whole[0]).encode()


def _places(node: Any) -> Iterator[Place]:
    keys = node if isinstance(node, dict) else range(len(node))
    for key in list(keys):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


def _retyped(value: Any) -> Any:
    """A number as text, a text as number where it is one, anything else in a list."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        try:
            return float(value.replace(",", ""))
        except ValueError:
            return [value]
    return [value]
