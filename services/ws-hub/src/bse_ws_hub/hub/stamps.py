"""At which position each field of a scrip last changed, as of the last tick.

That is all that a stream's bookkeeping takes. Whoever is in step holds, of the fields he asked for, everything up to
`newest`; what somebody lacks who stands at an older sequence is `after` it: whether he reads slowly, asked for
fewer updates, or was away. Within an epoch; a scrip whose epoch changes counts as changed in all fields.
"""

from functools import lru_cache

from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quote import FIELDS


MASKS_MAX = 64
"""For so many sets of fields the newest position of each scrip is kept; beyond it all are found anew."""

EVERY_FIELD = (1 << len(FIELDS)) - 1


class FieldStamps:
    """Sequences by scrip and field, within the scrip's present epoch."""

    def __init__(self) -> None:
        self._epochs: dict[int, int] = {}
        self._stamps: dict[int, list[int]] = {}
        self._newest: dict[int, dict[int, Position]] = {}

    def changed(self, code: int, mask: int, position: Position) -> None:
        """Fields in `mask` changed at `position`."""
        epoch, sequence = position
        if mask & EVERY_FIELD == EVERY_FIELD or self._epochs.get(code) != epoch:
            self._epochs[code] = epoch
            self._stamps[code] = [sequence] * len(FIELDS)
            mask = EVERY_FIELD
        for seen, newest in self._newest.items():
            if mask & seen:
                newest[code] = position
        if mask == EVERY_FIELD:
            return
        stamps = self._stamps[code]
        for number in numbers_of(mask):
            stamps[number] = sequence

    def newest(self, code: int, mask: int) -> Position:
        """Where a client stands who was sent everything of these fields; START if nothing is known of the scrip."""
        known = self._newest.get(mask)
        if known is None:
            if len(self._newest) >= MASKS_MAX:
                self._newest.clear()
            known = self._newest[mask] = {}
        found = known.get(code)
        if found is None:
            stamps = self._stamps.get(code)
            if stamps is None:
                return START
            newest = max(stamps[number] for number in numbers_of(mask))
            found = known[code] = Position(self._epochs[code], newest)
        return found

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
