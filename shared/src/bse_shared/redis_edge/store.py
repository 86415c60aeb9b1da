"""What of the market is kept in Redis, and how it is read and written. Knows no other service's purpose.

Every round trip also observes the store's clock. Raises StoreUnavailable for anything Redis does wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis

from bse_shared.pacing.clock import Clock
from bse_shared.pacing.store_clock import StoreClock
from bse_shared.quotes.frame import Confirmed, Image, ShardHead, Snapshot
from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.position import Position, shard_of
from bse_shared.quotes.shard_writer import Plan
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import store_errors
from bse_shared.redis_edge.script_runner import Call, ScriptRunner
from bse_shared.redis_edge.scripts import (
    COMMIT,
    RELEASE_LEASE,
    RENEW_LEASE,
    SIGN_ON,
    TAKE_LEASE,
)
from bse_shared.wire.bus import (
    MalformedMessage,
    pack_confirmed,
    pack_frame,
    pack_image,
    pack_list,
    unpack_confirmed,
    unpack_image,
)
from bse_shared.wire.instruments import pack_instruments, unpack_instruments
from bse_shared.wire.records import BatchRecord, FeedStatus, from_json, to_json


class Fenced(Exception):
    """The store refused a write: the lease is someone else's, or the store is not where the writer thinks."""


class Lease:
    """A shard's write lease in one term. `value` is what the store holds while it is ours."""

    def __init__(self, shard: int, epoch: int, holder: str):
        self.shard = shard
        self.epoch = epoch
        self.value = f"{epoch}:{holder}"


class Heads:
    """What anti-entropy reads at one go: every shard's head, the feed status, the master's version."""

    def __init__(
        self,
        shards: list[ShardHead],
        feed: FeedStatus | None,
        instruments_version: int,
    ):
        self.shards = shards
        self.feed = feed
        self.instruments_version = instruments_version


class MarketStore:
    """The market in Redis: shards of images with their positions, leases, feed status, instruments."""

    def __init__(self, redis: Redis, clock: Clock, shards: int):
        self.store_clock = StoreClock()
        self.shards = shards
        self._redis = redis
        self._clock = clock
        self._scripts = ScriptRunner(redis, clock, self.store_clock)

    def now_ms(self) -> int:
        """The store's time now; 0 before the store was ever reached."""
        return self.store_clock.now_ms(self._clock.monotonic_ms())

    # Reading.

    async def snapshot(self, shard: int) -> Snapshot:
        """The shard's images and position, read atomically."""
        with store_errors():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hmget(keys.head(shard), ["epoch", "sequence", "confirmed"])
                pipe.hgetall(keys.quotes(shard))
                pipe.time()
                head, quotes, _ = await self._timed(pipe.execute())
        images = dict(_readable_images(quotes.values()))
        found = _head(shard, head)
        return Snapshot(shard, found.position, found.confirmed, images)

    async def holds(self, code: int) -> bool:
        """Whether there is a quote of the scrip, however old."""
        with store_errors():
            return bool(
                await self._redis.hexists(
                    keys.quotes(shard_of(code, self.shards)), str(code)
                )
            )

    async def heads(self) -> Heads:
        """All shards' heads, the feed status and the master's version, in one round trip."""
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                for shard in range(self.shards):
                    pipe.hmget(keys.head(shard), ["epoch", "sequence", "confirmed"])
                pipe.get(keys.FEED_STATUS)
                pipe.hget(keys.INSTRUMENTS, "version")
                pipe.time()
                *heads, feed, version, _ = await self._timed(pipe.execute())
        return Heads(
            [_head(shard, head) for shard, head in enumerate(heads)],
            from_json(feed, FeedStatus) if feed else None,
            _number(version),
        )

    async def instruments(self) -> InstrumentMaster:
        """The instrument master; an empty one where none that we can read was stored."""
        with store_errors():
            fields: list[Any] = await self._redis.hmget(
                keys.INSTRUMENTS, ["version", "rows"]
            )
        version, rows = fields
        known = _number(version)
        try:
            return InstrumentMaster(unpack_instruments(rows) if rows else (), known)
        except MalformedMessage:
            # Of another version, or broken: the fetcher writes a newer one with its next answer.
            return InstrumentMaster((), known)

    async def instruments_version(self) -> int:
        """The version of the stored master; 0 where there is none."""
        with store_errors():
            version: Any = await self._redis.hget(keys.INSTRUMENTS, "version")
        return _number(version)

    # Writing: the fetcher's alone.

    async def take_lease(
        self, shard: int, holder: str, ttl_ms: int, epoch_floor: int
    ) -> Lease | None:
        """Open a new term on the shard, or None while somebody else holds it."""
        args = [holder, ttl_ms, epoch_floor]
        names = [keys.lease(shard), keys.head(shard)]
        (found,) = await self._scripts.run([(TAKE_LEASE, names, args)])
        return Lease(shard, int(found[1]), holder) if found[0] else None

    async def renew_leases(self, leases: Sequence[Lease], ttl_ms: int) -> list[Lease]:
        """Prolong the leases; those that are still ours come back."""
        calls = [
            (RENEW_LEASE, [keys.lease(lease.shard)], [lease.value, ttl_ms])
            for lease in leases
        ]
        replies = await self._scripts.run(calls)
        return [lease for lease, reply in zip(leases, replies, strict=True) if reply[0]]

    async def release_leases(self, leases: Sequence[Lease]) -> None:
        """Give the leases back, so that a standby need not wait for their end."""
        await self._scripts.run(
            [
                (RELEASE_LEASE, [keys.lease(lease.shard)], [lease.value])
                for lease in leases
            ]
        )

    async def fetchers_alive(self, holder: str, ttl_ms: int) -> list[str]:
        """Sign on for `ttl_ms`; the fetchers that share the work now by name, this one included."""
        (reply,) = await self._scripts.run(
            [(SIGN_ON, [keys.FETCHERS], [holder, ttl_ms])]
        )
        return sorted(reply[1].decode().splitlines())

    async def fetcher_leaves(self, holder: str) -> None:
        """Sign off, so that the others take over at once."""
        with store_errors():
            await self._redis.zrem(keys.FETCHERS, holder)

    async def commit(
        self, plans: Sequence[tuple[Lease, Plan]], master: InstrumentMaster
    ) -> list[Fenced | None]:
        """Write each plan and publish its frame, atomically per shard, all in one round trip.

        The answer tells for each plan whether it was refused. If StoreUnavailable is raised, what was
        written is in doubt: take the leases again and read what the store holds.
        """
        now_ms = self.now_ms()
        replies = await self._scripts.run(
            [_commit_call(lease, plan, master, now_ms) for lease, plan in plans]
        )
        return [None if reply[0] else Fenced(reply[2].decode()) for reply in replies]

    async def save_instruments(self, master: InstrumentMaster) -> None:
        """Store the master under its version."""
        rows = pack_instruments(master.by_code.values())
        with store_errors():
            await self._redis.hset(
                keys.INSTRUMENTS, mapping={"version": master.version, "rows": rows}
            )

    async def save_batch(self, batch: BatchRecord) -> None:
        """Leave the status of a fetch batch for those who watch the fetching."""
        with store_errors():
            await self._redis.set(
                keys.batch(batch.batch_id), to_json(batch), ex=keys.BATCH_STATUS_TTL_S
            )

    async def beat(self, feed: FeedStatus) -> None:
        """Store the feed status and publish it as the bus beat."""
        data = to_json(feed)
        with store_errors():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.set(keys.FEED_STATUS, data)
                pipe.publish(keys.BEAT_CHANNEL, data)
                pipe.time()
                await self._timed(pipe.execute())

    # Private.

    async def _timed(self, replies: Any) -> list[Any]:
        """Await a pipeline whose last command is TIME; learn the store's clock from it."""
        sent_ms = self._clock.monotonic_ms()
        found: list[Any] = await replies
        seconds, microseconds = found[-1]
        self.store_clock.observe(
            sent_ms, self._clock.monotonic_ms(), seconds * 1000 + microseconds / 1000
        )
        return found


def _readable_images(stored: Iterable[bytes]) -> Iterator[tuple[int, Image]]:
    """Images of another version are passed over: the writer sees the scrip as new and writes it again."""
    for data in stored:
        with suppress(MalformedMessage):
            yield unpack_image(data)


def _commit_call(
    lease: Lease, plan: Plan, master: InstrumentMaster, published_at_ms: int
) -> Call:
    frame = plan.frame
    shard = frame.shard
    flat: list[str | bytes] = []
    symbol_of = master.symbol_of
    for code, image in plan.images.items():
        flat += (str(code), symbol_of(code), pack_image(code, image))
    args = [
        lease.value,
        frame.position.sequence - 1,
        frame.position.sequence,
        pack_confirmed(plan.confirmed),
        pack_list(flat),
        pack_list([master.symbol_of(code) for code in plan.kept_alive]),
        keys.QUOTE_TTL_S,
        keys.QUOTE_PREFIX,
        keys.deltas(shard),
        pack_frame(frame, published_at_ms),
    ]
    return COMMIT, [keys.lease(shard), keys.head(shard), keys.quotes(shard)], args


def _head(shard: int, fields: Sequence[bytes | None]) -> ShardHead:
    epoch, sequence, confirmed = fields
    position = Position(_number(epoch), _number(sequence))
    try:
        return ShardHead(shard, position, unpack_confirmed(confirmed or b""))
    except MalformedMessage:
        # None yet, or of another version: nothing is known to be confirmed.
        return ShardHead(shard, position, Confirmed())


def _number(stored: bytes | None) -> int:
    """A number that somebody else may have written; 0 for what is none."""
    try:
        return int(stored or 0)
    except ValueError:
        return 0
