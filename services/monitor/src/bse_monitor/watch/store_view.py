"""The store as the monitor sees it: does it answer, how fast, and what does it say of the feed."""

from dataclasses import dataclass

from bse_monitor.rules.observation import FeedSeen, ShardSeen, StoreSeen
from bse_shared.pacing.clock import Clock
from bse_shared.quotes.frame import ShardHead
from bse_shared.redis_edge.store import MarketStore


@dataclass(frozen=True, slots=True)
class StoreSight:
    """One round trip's worth."""

    store: StoreSeen
    feed: FeedSeen


class StoreView:
    """Reads the shards' heads and the feed status, and times it."""

    def __init__(self, store: MarketStore, clock: Clock):
        self._store = store
        self._clock = clock

    def now_ms(self) -> int:
        """The store's time; 0 before it was ever reached."""
        return self._store.now_ms()

    async def read(self) -> StoreSight:
        """One look. Raises StoreUnavailable."""
        asked_ms = self._clock.monotonic_ms()
        heads = await self._store.heads()
        latency_ms = self._clock.monotonic_ms() - asked_ms
        return StoreSight(
            StoreSeen(True, latency_ms),
            FeedSeen(heads.feed, tuple(_shard(head) for head in heads.shards)),
        )


def _shard(head: ShardHead) -> ShardSeen:
    return ShardSeen(head.shard, head.position, head.confirmed.newest_ms())
