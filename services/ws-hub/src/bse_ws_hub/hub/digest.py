"""One number that says which positions a client holds, so that it can prove its state equals the server's."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from bse_shared.quotes.position import Position
from bse_shared.quotes.quote_table import Changes


MASKS_MAX = 256
"""Terms are kept for so many sets of fields; beyond it all are made anew."""

_BITS = 0xFFFFFFFF

Ahead = tuple[int, int, Position]
"""A scrip, the mask it is seen by, and the later position at which a client holds the same values."""


@lru_cache(maxsize=65_536)
def _term_elsewhere(code: int, position: Position) -> int:
    """Clients of the same replica come with the same positions."""
    return term(code, *position)


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
            terms = self._terms_of(mask)
            for code in codes:
                found = terms.get(code)
                if found is None:
                    found = self._make(terms, code, mask)
                total += found
        return total & _BITS

    def of_one_ahead(self, digest: int, ahead: Iterable[Ahead]) -> int:
        """The same for a client that holds some of them at later positions."""
        for code, mask, position in ahead:
            terms = self._terms_of(mask)
            found = terms.get(code) or self._make(terms, code, mask)
            digest += _term_elsewhere(code, position) - found
        return digest & _BITS

    def _terms_of(self, mask: int) -> dict[int, int]:
        if len(self._terms) > MASKS_MAX:
            self._terms.clear()
        return self._terms.setdefault(mask, {})

    def _make(self, terms: dict[int, int], code: int, mask: int) -> int:
        found = terms[code] = term(code, *self._held(code, mask))
        return found
