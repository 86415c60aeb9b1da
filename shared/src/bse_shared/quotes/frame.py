"""What crosses from the writer to its readers: images, changes, confirmations and frames.

Times are milliseconds of the store's clock, the one time base that all processes share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bse_shared.quotes.delta import Delta
from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quote import EMPTY, Quote


class Image(NamedTuple):
    """A whole quote, and the position and time at which it last changed."""

    position: Position
    changed_at_ms: int
    quote: Quote


NO_IMAGE = Image(START, 0, EMPTY)
"""What a scrip is before its first quote."""


class Change(NamedTuple):
    """What happened to one scrip in a frame: a delta on the state at `previous`."""

    code: int
    previous: Position
    delta: Delta


class Confirmation(NamedTuple):
    """What one answer of a source confirmed, at `at_ms`: the whole shard but for `codes`, or just `codes`.

    A list source (whole market in a call) confirms the whole; a batch source confirms what it was asked.
    """

    at_ms: int
    whole: bool
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """When the source last confirmed each price: at `all_at_ms`, but for the scrips named in `apart`."""

    all_at_ms: int = 0
    apart: Mapping[int, int] = field(default_factory=dict)

    def at_ms(self, code: int) -> int:
        """When the price of `code` was last confirmed; 0 for never."""
        return self.apart.get(code, self.all_at_ms)

    def newest_ms(self) -> int:
        """When the source last confirmed any price; 0 for never."""
        return max(self.all_at_ms, *self.apart.values(), 0)

    def after(self, news: Confirmation) -> "Confirmed":
        """The state after one more answer. A scrip missing from a whole list keeps its old time apart."""
        if news.whole:
            return Confirmed(
                news.at_ms, {code: self.at_ms(code) for code in news.codes}
            )
        return Confirmed(
            self.all_at_ms, {**self.apart, **dict.fromkeys(news.codes, news.at_ms)}
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """One batch of one shard: what changed, and what was confirmed by it.

    `sequence` grows by one a frame within an epoch, so a reader sees a lost frame at the next one. `published_at_ms`:
    when the writer handed it to the store; 0: not known.
    """

    shard: int
    position: Position
    received_at_ms: int
    confirmation: Confirmation
    changes: tuple[Change, ...]
    published_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A whole shard as the store holds it."""

    shard: int
    position: Position
    confirmed: Confirmed
    images: Mapping[int, Image]


@dataclass(frozen=True, slots=True)
class ShardHead:
    """The store's word on a shard without its quotes: what anti-entropy compares."""

    shard: int
    position: Position
    confirmed: Confirmed
