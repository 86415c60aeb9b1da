"""The check sum with which a client proves that it holds what the hub holds. Pure.

The sum modulo 2^32 of one term a scrip: order does not matter, and one term may be taken out or put in.
"""

from collections.abc import Iterable


_MASK = 0xFFFF_FFFF
_PRIME = 0x0100_0193
_FINISH = 0x85EB_CA6B


def term(code: int, epoch: int, sequence: int) -> int:
    """The part of one scrip; epoch and sequence 0 if it has no quote yet."""
    h = code & _MASK
    h = (h * _PRIME ^ epoch >> 32) & _MASK
    h = (h * _PRIME ^ epoch & _MASK) & _MASK
    h = (h * _PRIME ^ sequence & _MASK) & _MASK
    h = (h ^ h >> 15) * _FINISH & _MASK
    return h ^ h >> 13


def digest(positions: Iterable[tuple[int, int, int]]) -> int:
    """The check sum over (code, epoch, sequence) of each scrip of a set."""
    return sum(term(*position) for position in positions) & _MASK
