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
    """The position of a scrip that a client has who was in step at `vector`; START if that can't be told."""
    image = table.get(code)
    if image is None or len(vector) != table.shards:
        return START
    at = vector[shard_of(code, table.shards)]
    if image.position <= at:
        return image.position
    return at if image.position.epoch == at.epoch else START
