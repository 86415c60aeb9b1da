"""The in-memory replica of the market that every reader keeps: true through loss, delay and fail-over.

Pure. The owner feeds it frames from the bus, snapshots and heads from the store, and asks which shards it
wants to read again. Rules: a frame is taken only if it is the next one of its epoch; any hole, and every new
epoch, means reading that shard again; within an epoch nothing goes backwards; a store that is behind what we
hold (it lost writes) is not followed until a writer opens a new epoch.
"""

from dataclasses import dataclass, field

from bse_shared.quotes.delta import apply_telling
from bse_shared.quotes.frame import (
    NO_IMAGE,
    Confirmed,
    Frame,
    Image,
    ShardHead,
    Snapshot,
)
from bse_shared.quotes.position import START, Position, shard_of
from bse_shared.quotes.quality import FRESH_FOR_MS


WAITING_MAX = 64
"""Frames kept while a snapshot is on its way; beyond it the snapshot is read once more instead."""

ALL_FIELDS = -1
"""The mask of a whole image (every bit set): readers must take the image, not a delta."""

GONE = 0
"""The mask of a scrip that the store lost: there is no image of it any more."""

Changes = dict[int, int]
"""Scrip code to the mask of its changed fields."""


@dataclass(slots=True)
class _Shard:
    """One shard's place in history.

    `heard_ms` is the newest of its confirmations: of a list source the common one, of a batch source that of any scrip.
    `waiting` holds frames that came before the wanted snapshot; `behind` is a store position that we
    had not reached at the last comparison.
    """

    position: Position = START
    confirmed: Confirmed = field(default_factory=Confirmed)
    heard_ms: int = 0
    wanted: bool = True
    waiting: list[Frame] = field(default_factory=list)
    behind: Position | None = None


class QuoteTable:
    """All quotes by scrip code, with their positions and the times of their confirmation."""

    def __init__(self, shards: int):
        self.images: dict[int, Image] = {}
        self.published_at_ms = 0
        """When the newest frame that was taken was published."""
        self._shards = [_Shard() for _ in range(shards)]

    # What readers ask.

    def get(self, code: int) -> Image | None:
        """The image of a scrip, or None if no quote of it was ever seen."""
        return self.images.get(code)

    def confirmed_at_ms(self, code: int) -> int:
        """When the source last confirmed this scrip's price (store clock; 0: never)."""
        if code not in self.images:
            return 0
        return self._shards[shard_of(code, len(self._shards))].confirmed.at_ms(code)

    def confirmed(self, shard: int) -> Confirmed:
        """When the source last confirmed the prices of a shard: for who asks for many at once."""
        return self._shards[shard].confirmed

    def position(self, shard: int) -> Position:
        """How far this replica has followed a shard."""
        return self._shards[shard].position

    def heard_ms(self) -> int:
        """When the source last confirmed anything, in the shard where that is longest ago: how old the feed is.

        A shard in which nothing was ever confirmed is empty, not late. 0 where that is so for all.
        """
        return min((s.heard_ms for s in self._shards if s.heard_ms), default=0)

    def live_for_ms(self, now_ms: int, fresh_for_ms: int = FRESH_FOR_MS) -> int:
        """How long, from now, all prices that are fresh now stay fresh without another confirmation."""
        ages_ms = [
            now_ms - at_ms
            for shard in self._shards
            for at_ms in (shard.confirmed.all_at_ms, *shard.confirmed.apart.values())
        ]
        fresh_ms = [age_ms for age_ms in ages_ms if age_ms <= fresh_for_ms]
        return max(0, fresh_for_ms - max(fresh_ms)) if fresh_ms else 0

    @property
    def shards(self) -> int:
        """Into how many shards the market is split."""
        return len(self._shards)

    @property
    def synced(self) -> bool:
        """Whether every shard was read and none waits for a snapshot."""
        return not any(shard.wanted for shard in self._shards)

    def wanted_snapshots(self) -> list[int]:
        """The shards to read from the store."""
        return [number for number, shard in enumerate(self._shards) if shard.wanted]

    # What the owner feeds in. Each returns the scrips that changed.

    def receive(self, frame: Frame) -> Changes:
        """Take a frame from the bus."""
        shard = self._shards[frame.shard]
        if shard.wanted:
            self._wait(shard, frame)
            return {}
        if frame.position <= shard.position:
            return {}
        if not _is_next(shard.position, frame.position):
            self._wait(shard, frame)
            return {}
        return self._take(shard, frame)

    def load(self, snapshot: Snapshot) -> Changes:
        """Take a whole shard from the store, then the frames that waited for it."""
        shard = self._shards[snapshot.shard]
        shard.wanted = False
        changes: Changes = {}
        if snapshot.position >= shard.position:
            changes = self._replace(shard, snapshot)
        waiting, shard.waiting = shard.waiting, []
        for frame in waiting:
            add_changes(changes, self.receive(frame))
        return changes

    def compare(self, head: ShardHead) -> None:
        """Hold the store's head of a shard against ours: anti-entropy for what the bus lost."""
        shard = self._shards[head.shard]
        if head.position > shard.position:
            # A frame may still be on its way: only what two comparisons in a row miss was lost.
            shard.wanted |= shard.behind is not None and shard.position < shard.behind
            shard.behind = head.position
            return
        shard.behind = None
        if head.position == shard.position:
            shard.confirmed = _later(shard.confirmed, head.confirmed)
            shard.heard_ms = shard.confirmed.newest_ms()

    def read_again(self) -> None:
        """After the bus was silent or lost: want every shard."""
        for shard in self._shards:
            shard.wanted = True

    # Private.

    def _wait(self, shard: _Shard, frame: Frame) -> None:
        shard.wanted = True
        if len(shard.waiting) < WAITING_MAX:
            shard.waiting.append(frame)

    def _take(self, shard: _Shard, frame: Frame) -> Changes:
        changes: Changes = {}
        images, position, received_at_ms = (
            self.images,
            frame.position,
            frame.received_at_ms,
        )
        for code, previous, delta in frame.changes:
            held = images.get(code, NO_IMAGE)
            if held.position != previous:
                # Can't happen while writers are fenced; if it does, the store is right.
                self._wait(shard, frame)
                return changes
            quote, mask = apply_telling(held.quote, delta)
            images[code] = Image(position, received_at_ms, quote)
            changes[code] = mask if held is not NO_IMAGE else ALL_FIELDS
        shard.position = frame.position
        shard.confirmed = shard.confirmed.after(frame.confirmation)
        if frame.confirmation.whole or frame.confirmation.codes:
            shard.heard_ms = max(shard.heard_ms, frame.confirmation.at_ms)
        self.published_at_ms = max(self.published_at_ms, frame.published_at_ms)
        return changes

    def _replace(self, shard: _Shard, snapshot: Snapshot) -> Changes:
        """Hold what the store holds. A scrip that it lost is lost here too: nobody confirms it any more."""
        changes: Changes = {}
        for code in self.images.keys() - snapshot.images.keys():
            if shard_of(code, len(self._shards)) == snapshot.shard:
                del self.images[code]
                changes[code] = GONE
        for code, image in snapshot.images.items():
            if self.images.get(code) != image:
                self.images[code] = image
                changes[code] = ALL_FIELDS
        shard.position = snapshot.position
        shard.confirmed = snapshot.confirmed
        shard.heard_ms = snapshot.confirmed.newest_ms()
        shard.behind = None
        return changes


def _is_next(held: Position, offered: Position) -> bool:
    return held.epoch == offered.epoch and held.sequence + 1 == offered.sequence


def _later(ours: Confirmed, theirs: Confirmed) -> Confirmed:
    return theirs if theirs.all_at_ms >= ours.all_at_ms else ours


def add_changes(into: Changes, more: Changes) -> None:
    """Add the changes of `more` to `into`: masks merge, a whole image stays whole."""
    for code, mask in more.items():
        into[code] = into.get(code, 0) | mask
