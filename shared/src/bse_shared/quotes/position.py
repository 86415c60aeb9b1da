"""Where in a shard's history a quote stands: (epoch, sequence), ordered.

An epoch is one writer's term, taken with the shard's lease; a sequence counts the batches in it. A number
kept only in the store can run backwards when the store loses writes, so an epoch is never below the wall
clock in milliseconds (see `next_epoch`).
"""

from typing import NamedTuple


class Position(NamedTuple):
    """A point in a shard's history. Compare whole: a later epoch is later whatever its sequence."""

    epoch: int
    sequence: int


START = Position(0, 0)
"""Before anything was written."""


def next_epoch(stored_epoch: int, *wall_ms: int) -> int:
    """The epoch for a new term: above the stored one, and not below any of the clocks given (ms)."""
    return max(stored_epoch + 1, *wall_ms)


def shard_of(code: int, shards: int) -> int:
    """The shard that a scrip code belongs to, of `shards`."""
    return code % shards
