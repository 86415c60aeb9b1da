"""One number that says which positions a client holds, so that it can prove its state equals the server's."""

from collections.abc import Callable, Iterable

from bse_shared.quotes.position import Position
from bse_shared.quotes.quote_table import Changes


MASKS_MAX = 256
"""Terms are kept for so many sets of fields; beyond it all are made anew."""

_BITS = 0xFFFFFFFF


def term(code: int, epoch: int, sequence: int) -> int:
    """A scrip's share of the digest: unsigned 32 bits, the same in every client."""
    h = (code * 0x01000193 ^ epoch >> 32) & _BITS
    h = (h * 0x01000193 ^ epoch & _BITS) & _BITS
    h = (h * 0x01000193 ^ sequence & _BITS) & _BITS
    h = (h ^ h >> 15) * 0x85EBCA6B & _BITS
    return h ^ h >> 13


class Digests:
    """`held`: the position that a client in step holds of a scrip, seen by a mask of fields, after the last tick."""

    def __init__(self, held: Callable[[int, int], Position]):
        self._held = held
        self._terms: dict[int, dict[int, int]] = {}

    def changed(self, dirty: Changes) -> None:
        """These scrips moved."""
        for mask, terms in self._terms.items():
            for code in dirty.keys() & terms.keys():
                if dirty[code] & mask:
                    del terms[code]

    def of(self, parts: Iterable[tuple[int, Iterable[int]]]) -> int:
        """The digest of a set of scrips, by mask."""
        total = 0
        for mask, codes in parts:
            if len(self._terms) > MASKS_MAX:
                self._terms.clear()
            terms = self._terms.setdefault(mask, {})
            for code in codes:
                found = terms.get(code)
                if found is None:
                    found = terms[code] = term(code, *self._held(code, mask))
                total += found
        return total & _BITS
