"""At which sequence each field of a scrip last changed: turns "you have this position" into "you lack these fields".

That is all that merging takes, whether a client reads slowly, asked for fewer updates, or was away: what is owed
to it is a position, and the fields come from here. A scrip that this process has not yet seen change since it
read the store counts as changed in all fields, which is always right, only longer.
"""

from functools import lru_cache

from bse_shared.quotes.quote import FIELDS
from bse_shared.quotes.quote_table import ALL_FIELDS


EVERY_FIELD = (1 << len(FIELDS)) - 1


class FieldStamps:
    """Sequences by scrip and field, within the scrip's present epoch."""

    def __init__(self) -> None:
        self._stamps: dict[int, list[int]] = {}

    def changed(self, code: int, mask: int, sequence: int) -> None:
        """Fields in `mask` changed, at the latest at `sequence`."""
        stamps = self._stamps.get(code)
        if mask == ALL_FIELDS or stamps is None:
            self._stamps[code] = [sequence] * len(FIELDS)
            return
        for number in numbers_of(mask):
            stamps[number] = sequence

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
