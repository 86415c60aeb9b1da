"""Keeps a QuoteTable true: subscribe first, read the snapshots, join by position, follow, compare, repair.

Two supervised loops of the owner run it. `follow_bus` takes frames as they come; `repair` reads the shards
that the table wants and compares all heads with the store each second, at constant work, so that a message
that the bus lost is found within two seconds. While Redis is away the table keeps its last values, whose
ages grow.
"""

import asyncio
from collections.abc import Callable, Mapping

from redis.asyncio import Redis

from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.quote_table import Changes, QuoteTable
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.delta_bus import SILENCE_MAX_S, messages
from bse_shared.redis_edge.store import MarketStore
from bse_shared.wire.bus import MalformedMessage, unpack_frame
from bse_shared.wire.records import FeedStatus, from_json


COMPARE_INTERVAL_S = 1.0


class QuoteFollower:
    """A reader's view of the market: `table`, `instruments`, `feed`. One for a process."""

    def __init__(
        self,
        redis: Redis,
        store: MarketStore,
        on_changes: Callable[[Changes], None] = lambda _: None,
        also: Mapping[str, Callable[[bytes], None]] | None = None,
        silence_max_s: float = SILENCE_MAX_S,
    ):
        """`also`: more channels to follow on the same connection, with what takes their messages."""
        self.table = QuoteTable(store.shards)
        self.instruments = InstrumentMaster()
        self.feed: FeedStatus | None = None
        self.readied = asyncio.Event()
        self.connected = False
        self.frames = 0
        self.malformed = 0
        self.resyncs = 0
        self._redis = redis
        self._store = store
        self._on_changes = on_changes
        self._also = dict(also or {})
        self._silence_max_s = silence_max_s
        self._wanted = asyncio.Event()
        # Set and cleared at once: wakes those who wait now, and nobody later.
        self._went_on = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether the market and the instrument master were read; true for good once it was."""
        return self.readied.is_set()

    def now_ms(self) -> int:
        """The store's time, the base of all ages."""
        return self._store.now_ms()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once it holds, which is looked at whenever the table has taken a frame or a snapshot."""
        while not holds():
            await self._went_on.wait()

    async def follow_bus(self) -> None:
        """Follow the bus until it breaks (raises StoreUnavailable); call again to go on."""
        channels = [keys.deltas(shard) for shard in range(self.table.shards)]
        try:
            async for message in messages(
                self._redis,
                [*channels, keys.BEAT_CHANNEL, *self._also],
                self._silence_max_s,
            ):
                if message is None:
                    self.connected = True
                    self.table.read_again()
                    self._wanted.set()
                else:
                    self._take(*message)
        finally:
            self.connected = False

    async def repair(self) -> None:
        """One round: compare all heads, read the shards wanted; then wait a second or until one is wanted."""
        heads = await self._store.heads()
        for head in heads.shards:
            self.table.compare(head)
        self.feed = heads.feed or self.feed
        # A store that lost its memory has version 0: what we know of the scrips stays until it is written again.
        if heads.instruments_version not in {0, self.instruments.version}:
            self.instruments = await self._store.instruments()
        self._wanted.clear()
        await self._read_wanted()
        try:
            await asyncio.wait_for(self._wanted.wait(), COMPARE_INTERVAL_S)
        except TimeoutError:
            return

    def _take(self, channel: str, data: bytes) -> None:
        if channel == keys.BEAT_CHANNEL:
            self.feed = from_json(data, FeedStatus) or self.feed
            return
        if channel in self._also:
            self._also[channel](data)
            return
        try:
            frame = unpack_frame(data)
        except MalformedMessage:
            self._take_nothing()
            return
        if channel != keys.deltas(frame.shard):
            self._take_nothing()  # a writer with another number of shards
            return
        self.frames += 1
        self._tell(self.table.receive(frame))
        if self.table.wanted_snapshots():
            self._wanted.set()

    def _take_nothing(self) -> None:
        """What the message said is unknown: only the store can tell."""
        self.malformed += 1
        self.table.read_again()
        self._wanted.set()

    async def _read_wanted(self) -> None:
        for shard in self.table.wanted_snapshots():
            snapshot = await self._store.snapshot(shard)
            self._tell(self.table.load(snapshot))
            self.resyncs += 1
        if self.table.synced and self.instruments.version:
            self.readied.set()

    def _tell(self, changes: Changes) -> None:
        if changes:
            self._on_changes(changes)
        self._went_on.set()
        self._went_on.clear()
