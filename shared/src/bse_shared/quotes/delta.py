"""Changes between two states of a quote, and their laws.

A delta maps field numbers to absolute new values, so that it can be merged, repeated and conflated:

    apply(a, diff(a, b)) == b        diff(a, a) == {}
    apply(apply(q, x), y) == apply(q, merge(x, y))        merge is associative
"""

from collections.abc import Mapping

from bse_shared.quotes.quote import Quote, Value


_BITS = [1 << number for number in range(len(Quote._fields))]

Delta = dict[int, Value]
"""Field number to absolute value."""


def diff(old: Quote, new: Quote) -> Delta:
    """What turns `old` into `new`."""
    if old == new:
        return {}
    return {
        number: after
        for number, (before, after) in enumerate(zip(old, new, strict=True))
        if before != after
    }


def change_seen(old: Quote, seen: Mapping[int, Value]) -> tuple[Delta, Quote]:
    """What `seen`, the fields that a source reported, changes in `old`, and the quote with it.

    Fields not seen stay. All numbers must be known ones.
    """
    values = [*old]
    delta: Delta = {}
    for number, value in seen.items():
        if values[number] != value:
            values[number] = delta[number] = value
    # As `Quote._make`, without its check of the length: the hottest line of a market cycle.
    return delta, tuple.__new__(Quote, values) if delta else old


def apply(quote: Quote, delta: Mapping[int, Value]) -> Quote:
    """`quote` with the delta's values. Numbers of a newer version than ours are passed over."""
    return apply_telling(quote, delta)[0]


def apply_telling(quote: Quote, delta: Mapping[int, Value]) -> tuple[Quote, int]:
    """The same, and the mask of the delta's fields."""
    values, mask = list(quote), 0
    for number, value in delta.items():
        if number < len(values):
            values[number] = value
            mask |= _BITS[number]
    return Quote._make(values), mask


def merge(first: Mapping[int, Value], then: Mapping[int, Value]) -> Delta:
    """One delta that does what `first` and `then` do one after the other: newest wins."""
    return {**first, **then}


def mask_of(delta: Mapping[int, Value]) -> int:
    """The set of changed fields as a bit mask (bit N = field number N). Masks merge with `|`."""
    mask = 0
    for number in delta:
        mask |= 1 << number
    return mask
