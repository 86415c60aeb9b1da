"""Who watches what, and what a reader misses right now: how demand reaches the fetchers.

A hub (or whoever serves streams) reports the whole set of its watched scrips every few seconds; a report that is
not renewed is forgotten. A reader that misses a scrip asks for it; of all readers that ask within the deadline only
the first is heard, so that the source is asked once for the whole cluster.
"""

from collections.abc import AsyncIterator, Iterable

from redis.asyncio import Redis

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.redis_edge.delta_bus import messages
from bse_shared.wire.records import DemandRecord, from_json, to_json


REPORT_EVERY_S = 3.0
REPORT_KEPT_MS = 15_000
MISS_DEADLINE_MS = 2_000


class DemandBoard:
    """The board in the store. Times are store-clock milliseconds."""

    def __init__(self, redis: Redis):
        self._redis = redis

    # Those who want something.

    async def report(self, reporter: str, codes: Iterable[int], now_ms: int) -> None:
        """These scrips, and no others, are watched at `reporter`. Repeat every REPORT_EVERY_S."""
        record = DemandRecord(at_ms=now_ms, codes=sorted(codes))
        with store_errors():
            await self._redis.hset(keys.DEMAND_WATCHED, reporter, to_json(record))

    async def withdraw(self, reporter: str) -> None:
        """Nothing is watched there any more."""
        with store_errors():
            await self._redis.hdel(keys.DEMAND_WATCHED, reporter)

    async def ask(self, code: int, deadline_ms: int = MISS_DEADLINE_MS) -> bool:
        """A reader misses the scrip; whether it was the first to ask within the deadline.

        The quote, if there is one, comes the usual way: by the bus and the store. Wait for it that long.
        """
        with store_errors():
            is_first = await self._redis.set(
                keys.demand_asked(code), 1, nx=True, px=deadline_ms
            )
            if is_first:
                await self._redis.publish(keys.DEMAND_CHANNEL, str(code))
        return bool(is_first)

    # The fetcher.

    async def missed(self) -> AsyncIterator[bytes | None]:
        """The codes that readers ask for, as they come; None for a sign of life. Raises StoreUnavailable."""
        channels = [keys.DEMAND_CHANNEL, keys.BEAT_CHANNEL]
        async for message in messages(self._redis, channels):
            is_code = message is not None and message[0] == keys.DEMAND_CHANNEL
            yield message[1] if message is not None and is_code else None

    async def watched(self, now_ms: int) -> set[int]:
        """All scrips that somebody watches; old reports are removed."""
        with store_errors():
            reports = await self._redis.hgetall(keys.DEMAND_WATCHED)
            codes: set[int] = set()
            for reporter, data in reports.items():
                record = from_json(data, DemandRecord)
                if record is None or now_ms - record.at_ms > REPORT_KEPT_MS:
                    await self._redis.hdel(keys.DEMAND_WATCHED, reporter)
                else:
                    codes.update(record.codes)
        return codes
