"""Minutes and days of every scrip, the market's summary and the indices: written by the fetcher, read by doors.

Minutes of a day are a list a scrip, kept for two days; they may come twice (a gap, and later what filled it), so
readers join them. Days are a hash a scrip by the day's beginning. Writing needs the shard's lease.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from bse_shared.pacing.clock import Clock
from bse_shared.pacing.store_clock import StoreClock
from bse_shared.quotes.candles import Candle, day_start_ms, joined
from bse_shared.quotes.position import shard_of
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.redis_edge.script_runner import ScriptRunner
from bse_shared.redis_edge.scripts import APPEND_MINUTES, SET_DAYS, Script
from bse_shared.redis_edge.store import Lease
from bse_shared.wire.bus import MalformedMessage, pack_list
from bse_shared.wire.history import pack_candle, unpack_candle
from bse_shared.wire.records import IndexRecord, SummaryRecord, from_json, to_json


MINUTES_KEPT_S = 2 * 24 * 3600
DAYS_KEPT_S = 400 * 24 * 3600


class MarketHistory:
    """What is kept of the market beside its present."""

    def __init__(self, redis: Redis, clock: Clock, shards: int):
        self._redis = redis
        self._shards = shards
        self._scripts = ScriptRunner(redis, clock, StoreClock())

    # Reading.

    async def minutes(self, code: int, at_ms: int) -> list[Candle]:
        """The minutes of the Indian day that `at_ms` lies in, one each, by time."""
        key = keys.minutes(shard_of(code, self._shards), code, day_start_ms(at_ms))
        with store_errors():
            stored: list[Any] = await self._redis.lrange(key, 0, -1)
        return joined(_readable(stored))

    async def days(self, code: int) -> list[Candle]:
        """The days of a scrip, by time."""
        with store_errors():
            stored: list[Any] = await self._redis.hvals(
                keys.days(shard_of(code, self._shards), code)
            )
        return sorted(_readable(stored))

    async def summary(self) -> SummaryRecord | None:
        """The market in a few numbers, as last written."""
        with store_errors():
            data = await self._redis.get(keys.SUMMARY)
        return from_json(data, SummaryRecord) if data else None

    async def summary_parts(self, shards: Sequence[int]) -> list[SummaryRecord]:
        """The parts of these shards that were left by those who write them; one that is missing is left out."""
        if not shards:
            return []
        with store_errors():
            stored: list[Any] = await self._redis.hmget(
                keys.SUMMARY_PARTS, [str(shard) for shard in shards]
            )
        found = (from_json(data, SummaryRecord) for data in stored if data)
        return [part for part in found if part]

    async def indices(self) -> dict[str, IndexRecord]:
        """The indices by name, as last written."""
        with store_errors():
            stored = await self._redis.hgetall(keys.INDICES)
        records = (from_json(data, IndexRecord) for data in stored.values())
        return {record.name: record for record in records if record}

    # Writing: the fetcher's alone.

    async def append_minutes(
        self, lease: Lease, candles: Sequence[tuple[int, Candle]]
    ) -> bool:
        """Add finished minutes by scrip; False where the lease is no longer ours."""
        return await self._write(
            APPEND_MINUTES,
            lease,
            MINUTES_KEPT_S,
            [
                (keys.minutes(lease.shard, code, day_start_ms(candle.start_ms)), candle)
                for code, candle in candles
            ],
        )

    async def set_days(
        self, lease: Lease, candles: Sequence[tuple[int, Candle]]
    ) -> bool:
        """Keep finished days by scrip; False where the lease is no longer ours."""
        named = [(keys.days(lease.shard, code), candle) for code, candle in candles]
        return await self._write(SET_DAYS, lease, DAYS_KEPT_S, named)

    async def save_summary(self, summary: SummaryRecord) -> None:
        """Store the market's summary and tell who listens."""
        data = to_json(summary)
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.set(keys.SUMMARY, data, ex=keys.QUOTE_TTL_S)
                pipe.publish(keys.SUMMARY_CHANNEL, data)
                await pipe.execute()

    async def save_summary_parts(self, parts: Mapping[int, SummaryRecord]) -> None:
        """Leave the summaries of shards for the fetcher that joins them."""
        mapping: dict[Any, Any] = {
            str(shard): to_json(part) for shard, part in parts.items()
        }
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(keys.SUMMARY_PARTS, mapping=mapping)
                pipe.expire(keys.SUMMARY_PARTS, keys.QUOTE_TTL_S)
                await pipe.execute()

    async def save_indices(self, indices: Mapping[str, IndexRecord]) -> None:
        """Store the indices by name and tell who listens."""
        mapping: dict[Any, Any] = {
            name: to_json(record) for name, record in indices.items()
        }
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(keys.INDICES, mapping=mapping)
                for data in mapping.values():
                    pipe.publish(keys.INDICES_CHANNEL, data)
                await pipe.execute()

    async def _write(
        self, script: Script, lease: Lease, kept_s: int, named: list[tuple[str, Candle]]
    ) -> bool:
        flat: list[str | bytes] = []
        for key, candle in named:
            flat += (key, str(candle.start_ms), pack_candle(candle))
        args = [lease.value, kept_s, pack_list(flat)]
        (reply,) = await self._scripts.run([(script, [keys.lease(lease.shard)], args)])
        return bool(reply[0])


def _readable(stored: Iterable[bytes]) -> list[Candle]:
    """What another version wrote is passed over."""
    candles = []
    for data in stored:
        try:
            candles.append(unpack_candle(data))
        except MalformedMessage:
            continue
    return candles
