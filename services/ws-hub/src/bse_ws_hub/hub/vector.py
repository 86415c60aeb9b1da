"""A client's place in the whole market in one short text: the positions of all shards after some tick.

Whoever is in step holds every change up to the last tick, so one position a shard says where he stands in all his
scrips. It goes as the event id of SSE, and comes back as `Last-Event-ID`.
"""

import re
from collections.abc import Sequence

from bse_shared.quotes.position import START, Position, shard_of
from bse_shared.quotes.quote_table import QuoteTable


SHARDS_MAX = 256

_TEXT = re.compile(r"[0-9a-f]{1,14}-[0-9a-f]{1,14}(?:\.[0-9a-f]{1,14}-[0-9a-f]{1,14})*")


def vector_text(positions: Sequence[Position]) -> str:
    """The positions of all shards in order."""
    return ".".join(f"{p.epoch:x}-{p.sequence:x}" for p in positions)


def read_vector(text: str) -> list[Position] | None:
    """The positions, or None if the text is no vector."""
    if len(text) > SHARDS_MAX * 32 or not _TEXT.fullmatch(text):
        return None
    pairs = (part.split("-") for part in text.split("."))
    return [Position(int(epoch, 16), int(sequence, 16)) for epoch, sequence in pairs]


def held_at(vector: Sequence[Position], code: int, table: QuoteTable) -> Position:
    """The position up to which a client has a scrip who was in step at `vector`; START if that can't be told.

    Of a scrip that changed since, it can't be told in which epoch: so that position is in none, and leads to an image.
    """
    image = table.get(code)
    if image is None or len(vector) != table.shards:
        return START
    at = vector[shard_of(code, table.shards)]
    return image.position if image.position <= at else Position(0, at.sequence)


def has_reached(table: QuoteTable, code: int, position: Position) -> bool:
    """Whether this replica knows what happened up to a position that a client brings from another one."""
    return position <= table.position(shard_of(code, table.shards))


def has_reached_all(table: QuoteTable, vector: Sequence[Position]) -> bool:
    """The same for a place in the whole market; of one with other shards nothing can be told, nor waited for."""
    return len(vector) != table.shards or all(
        at <= table.position(shard) for shard, at in enumerate(vector)
    )
