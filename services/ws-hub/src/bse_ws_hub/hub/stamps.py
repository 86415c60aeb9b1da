"""At which position each field of a scrip last changed, as of the last tick.

That is all that a stream's bookkeeping takes. Whoever is in step holds, of the fields he asked for, everything up to
`newest`; what somebody lacks who stands at an older sequence is `after` it: whether he reads slowly, asked for
fewer updates, or was away. Within an epoch; a scrip whose epoch changes counts as changed in all fields.
"""

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter

from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quote import FIELDS


EVERY_FIELD = (1 << len(FIELDS)) - 1


class FieldStamps:
    """Sequences by scrip and field, within the scrip's present epoch."""

    def __init__(self) -> None:
        self._epochs: dict[int, int] = {}
        self._stamps: dict[int, list[int]] = {}

    def changed(self, code: int, mask: int, position: Position) -> None:
        """Fields in `mask` changed at `position`."""
        epoch, sequence = position
        if mask & EVERY_FIELD == EVERY_FIELD or self._epochs.get(code) != epoch:
            self._epochs[code] = epoch
            self._stamps[code] = [sequence] * len(FIELDS)
            return
        stamps = self._stamps[code]
        for number in numbers_of(mask):
            stamps[number] = sequence

    def newest(self, code: int, mask: int) -> Position:
        """Where a client stands who was sent everything of these fields; START if nothing is known of the scrip."""
        stamps = self._stamps.get(code)
        if stamps is None:
            return START
        return Position(self._epochs[code], _newest_of(mask)(stamps))

    def after(self, code: int, sequence: int) -> int:
        """The mask of fields that changed after `sequence`."""
        stamps = self._stamps.get(code)
        if stamps is None:
            return EVERY_FIELD
        mask = 0
        for number, stamp in enumerate(stamps):
            if stamp > sequence:
                mask |= 1 << number
        return mask


@lru_cache(maxsize=4096)
def numbers_of(mask: int) -> tuple[int, ...]:
    """The field numbers in a mask."""
    return tuple(n for n in range(len(FIELDS)) if mask >> n & 1)


@lru_cache(maxsize=4096)
def _newest_of(mask: int) -> Callable[[list[int]], int]:
    numbers = numbers_of(mask)
    if len(numbers) == 1:
        return itemgetter(*numbers)
    pick = itemgetter(*numbers)
    return lambda stamps: max(pick(stamps))
