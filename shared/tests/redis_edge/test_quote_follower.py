"""The follower on a real server: what the bus, the store or the connection do, its table becomes true again."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge import keys
from bse_shared.redis_edge import quote_follower as module
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.builders import RELIANCE, TCS, a_master, a_quote, seen
from bse_shared.wire.bus import pack_frame
from bse_shared.wire.records import FeedStatus, SessionRecord


WITHIN_S = 5


class Fetcher:
    """Writes one shard of two as the fetcher does."""

    def __init__(self, redis):
        self.redis = redis
        self.store = MarketStore(redis, SystemClock(), shards=2)
        self.master = a_master()

    async def take(self):
        """A new term."""
        self.leases, self.writers = {}, {}
        for shard in range(2):
            lease = await self.store.take_lease(shard, "fetcher-1", 60_000, 0)
            self.leases[shard] = lease
            self.writers[shard] = ShardWriter(await self.store.snapshot(shard))

    async def report(self, code, paise, *, lost=False):
        """A scrip trades; the message may get lost on the bus."""
        shard = code % 2
        plan = self.writers[shard].plan_batch(
            {code: seen(a_quote(paise))}, self.store.now_ms()
        )
        if lost:
            await self.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await self.store.commit([(self.leases[shard], plan)], self.master)
        self.writers[shard].committed(plan)
        return plan


@pytest.fixture
async def fetcher(redis):
    """A master and two quotes in the store."""
    found = Fetcher(redis)
    await found.store.save_instruments(a_master())
    await found.take()
    await found.report(RELIANCE.code, 100)
    await found.report(TCS.code, 200)
    return found


class Following:
    """A follower with its two loops running, as the supervisor would run them."""

    def __init__(self, redis, **options):
        self.changes = []
        self.also = []
        store = MarketStore(redis, SystemClock(), shards=2)
        self.follower = QuoteFollower(
            redis,
            store,
            self.changes.append,
            {keys.SUBSCRIPTION_CHANNEL: self.also.append},
            **options,
        )
        self.errors = []

    def last(self, code):
        """The last price held."""
        image = self.follower.table.get(code)
        return image and image.quote.last_paise

    async def until(self, condition):
        """Wait for it, bounded."""
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110 - any condition, not one event
                await asyncio.sleep(0.002)

    async def repeat(self, step):
        """As a supervised loop does, without its pauses."""
        while True:
            try:
                await step()
            except StoreUnavailable as error:
                self.errors.append(str(error))
                await asyncio.sleep(0.01)


@asynccontextmanager
async def following(redis_url, **options):
    """Both loops, until the block ends."""
    async with (
        open_redis(RedisSettings(url=redis_url), "follower") as redis,
        asyncio.TaskGroup() as group,
    ):
        found = Following(redis, **options)
        loops = [
            group.create_task(found.repeat(step))
            for step in (found.follower.follow_bus, found.follower.repair)
        ]
        await found.until(lambda: found.follower.connected)
        yield found
        for loop in loops:
            loop.cancel()


@pytest.fixture
async def followed(fetcher, redis_server, monkeypatch):
    """A follower that has read the market, comparing often."""
    monkeypatch.setattr(module, "COMPARE_INTERVAL_S", 0.05)
    async with following(redis_server) as found:
        await found.follower.readied.wait()
        assert 100 == found.last(RELIANCE.code)
        yield found, fetcher


async def test_it_begins_with_what_the_store_holds(followed):
    """Quotes, names, and the store's time; all told as whole images."""
    found, _ = followed
    told = {code: mask for changes in found.changes for code, mask in changes.items()}

    assert (100, 200) == (found.last(RELIANCE.code), found.last(TCS.code))
    assert found.follower.instruments.find("TCS") == TCS
    assert found.follower.now_ms() > 1_700_000_000_000
    assert {RELIANCE.code: -1, TCS.code: -1} == told


async def test_frames_are_followed_without_reading_the_store(followed):
    """Each change is told with the mask of its fields."""
    found, fetcher = followed
    await found.until(lambda: found.follower.table.synced)
    resyncs = found.follower.resyncs
    await fetcher.report(RELIANCE.code, 101)
    await found.until(lambda: found.last(RELIANCE.code) == 101)

    assert {RELIANCE.code: 1} == found.changes[-1]
    assert resyncs == found.follower.resyncs
    assert 0 == found.follower.malformed


async def test_who_waits_is_woken_by_each_step_of_the_table(followed):
    """It is looked at when the table goes on, and not in between."""
    found, fetcher = followed
    looks = []

    def holds():
        looks.append(found.last(RELIANCE.code))
        return looks[-1] == 103

    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        group.create_task(found.follower.until(holds))
        for paise in (101, 102, 103):
            await fetcher.report(RELIANCE.code, paise)
    await found.follower.until(lambda: True)

    assert 103 == looks[-1]
    assert len(looks) <= 4 + found.follower.resyncs


async def test_other_channels_come_on_the_same_connection(followed, redis):
    """What the hub follows beside the market."""
    found, _ = followed
    await redis.publish(keys.SUBSCRIPTION_CHANNEL, b"desk-1")
    await found.until(lambda: found.also)

    assert [b"desk-1"] == found.also


async def test_a_lost_message_is_found_within_two_comparisons(followed, redis):
    """Nothing else came on the bus that would have shown the hole."""
    found, fetcher = followed
    await found.until(lambda: found.follower.table.synced)
    plan = fetcher.writers[RELIANCE.code % 2].plan_batch(
        {RELIANCE.code: seen(a_quote(105))}, 1
    )
    await redis.rename(keys.lease(1), "away")  # nobody else may write meanwhile
    await write_silently(redis, fetcher, plan)
    await found.until(lambda: found.last(RELIANCE.code) == 105)

    assert found.follower.connected
    assert [] == found.errors


async def write_silently(redis, fetcher, plan):
    """What COMMIT does, less its PUBLISH: the store has it, the bus lost it."""
    from bse_shared.wire.bus import pack_confirmed, pack_image

    shard = plan.frame.shard
    async with redis.pipeline(transaction=True) as pipe:
        for code, image in plan.images.items():
            pipe.hset(keys.quotes(shard), str(code), pack_image(code, image))
        pipe.hset(
            keys.head(shard),
            mapping={
                "sequence": plan.frame.position.sequence,
                "confirmed": pack_confirmed(plan.confirmed),
            },
        )
        await pipe.execute()
    fetcher.writers[shard].committed(plan)


async def test_a_hole_in_the_sequence_is_read_from_the_store_at_once(followed, redis):
    """The next message shows it."""
    found, fetcher = followed
    shard = RELIANCE.code % 2
    plan = fetcher.writers[shard].plan_batch({RELIANCE.code: seen(a_quote(1))}, 1)
    await write_silently(redis, fetcher, plan)
    await fetcher.report(RELIANCE.code, 107)
    await found.until(lambda: found.last(RELIANCE.code) == 107)


async def test_it_comes_back_after_the_connection_was_killed(followed):
    """What was written meanwhile is there afterwards."""
    found, fetcher = followed
    await fetcher.report(RELIANCE.code, 110, lost=True)
    await found.until(lambda: found.errors and found.follower.connected)
    await found.until(lambda: found.last(RELIANCE.code) == 110)
    await fetcher.report(RELIANCE.code, 111)
    await found.until(lambda: found.last(RELIANCE.code) == 111)


@pytest.mark.usefixtures("fetcher")
async def test_a_silent_bus_is_unavailable_after_the_bound(redis_server):
    """And it is not connected then."""
    async with open_redis(RedisSettings(url=redis_server), "f") as redis:
        store = MarketStore(redis, SystemClock(), shards=2)
        follower = QuoteFollower(redis, store, silence_max_s=0.05)
        with pytest.raises(StoreUnavailable, match="silent"):
            await follower.follow_bus()

    assert not follower.connected


async def test_the_beat_tells_of_the_feed(followed):
    """The last word of a fetcher; broken ones are passed over."""
    found, fetcher = followed
    feed = FeedStatus(
        at_ms=5,
        writer="f",
        source="bse",
        state="ok",
        session=SessionRecord(phase="open", is_open=True),
        shards=2,
        poll_interval_s=3,
    )
    await fetcher.redis.publish(keys.BEAT_CHANNEL, b'{"added":' + b"[" * 50_000)
    await fetcher.store.beat(feed)
    await found.until(lambda: found.follower.feed == feed)


@pytest.mark.parametrize("wrong", ["bytes", "channel", "shard"])
async def test_a_malformed_frame_is_answered_by_reading_the_store(followed, wrong):
    """Counted; also a frame of a writer that splits the market otherwise."""
    found, fetcher = followed
    await found.until(lambda: found.follower.table.synced)
    resyncs = found.follower.resyncs
    frame = fetcher.writers[1].plan_batch({RELIANCE.code: {0: 1}}, 1).frame
    data, channel = {
        "bytes": (b"\xc1\x00", keys.deltas(0)),
        "channel": (pack_frame(frame), keys.deltas(0)),
        "shard": (pack_frame(replace_shard(frame, 99)), keys.deltas(1)),
    }[wrong]
    await fetcher.redis.publish(channel, data)
    await found.until(lambda: found.follower.resyncs >= resyncs + 2)
    await fetcher.report(RELIANCE.code, 120)
    await found.until(lambda: found.last(RELIANCE.code) == 120)

    assert 1 == found.follower.malformed
    assert [] == found.errors


def replace_shard(frame, shard):
    """The frame as of another shard."""
    import dataclasses

    return dataclasses.replace(frame, shard=shard)


async def test_a_new_epoch_is_read_and_followed(followed):
    """Another fetcher took over: whole images, then its frames."""
    found, fetcher = followed
    before = found.follower.table.get(RELIANCE.code).position.epoch
    await fetcher.take()
    await fetcher.report(RELIANCE.code, 130)
    await found.until(lambda: found.last(RELIANCE.code) == 130)

    assert found.follower.table.get(RELIANCE.code).position.epoch > before


async def test_a_flushed_store_keeps_the_last_values(followed, redis):
    """They age, but they are there; a writer that begins anew is followed."""
    found, fetcher = followed
    await redis.flushall()
    await found.follower.repair()
    await found.follower.repair()
    kept = (found.last(RELIANCE.code), found.last(TCS.code))
    await fetcher.store.save_instruments(a_master())
    await fetcher.take()
    await fetcher.report(RELIANCE.code, 140)
    await found.until(lambda: found.last(RELIANCE.code) == 140)

    assert (100, 200) == kept


async def test_a_new_master_is_read_when_its_version_changes(followed):
    """Without a restart."""
    found, fetcher = followed
    renamed = [TCS._replace(symbol="TCSL")]
    await fetcher.store.save_instruments(InstrumentMaster(renamed, 2))
    await found.until(lambda: found.follower.instruments.version == 2)

    assert found.follower.instruments.find("TCSL").code == TCS.code


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        (keys.head(0), "confirmed", b"\x92\x02\x05"),
        (keys.head(0), "confirmed", b"\xc1"),
        (keys.head(0), "epoch", b"x"),
        (keys.INSTRUMENTS, "version", b"x"),
        (keys.INSTRUMENTS, "rows", b"x"),
        (keys.quotes(0), "532540", b"x"),
    ],
)
async def test_broken_keys_in_the_store_do_not_end_the_process(
    followed, redis, key, field, value
):
    """At worst the store counts as unavailable until somebody writes what is right."""
    found, fetcher = followed
    await redis.hset(key, field, value)
    found.follower.table.read_again()
    rounds = found.follower.resyncs
    await found.until(lambda: found.errors or found.follower.resyncs > rounds)
    await fetcher.store.save_instruments(a_master())
    await redis.delete(keys.head(0))
    await fetcher.take()
    await fetcher.report(TCS.code, 150)
    await found.until(lambda: found.last(TCS.code) == 150)
