"""The store's promises, on a real server."""

from dataclasses import replace

import pytest

from bse_shared.quotes.position import Position
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis
from bse_shared.redis_edge.store import Fenced, MarketStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.builders import RELIANCE, TCS, a_master, a_quote, seen
from bse_shared.wire.bus import unpack_frame, unpack_image


@pytest.fixture
def store(redis):
    """A store of a market in one shard."""
    return MarketStore(redis, SystemClock(), shards=1)


async def a_term(store, holder="fetcher-1"):
    """A lease just taken, and the writer that starts on what the store holds."""
    lease = await store.take_lease(0, holder, 3000, 0)
    return lease, ShardWriter(await store.snapshot(0))


async def test_commit_stores_images_and_publishes_the_frame(store, redis):
    """One commit moves values, position and message together."""
    lease, writer = await a_term(store)
    plan = writer.plan_list({RELIANCE.code: seen(a_quote())}, store.now_ms())
    pubsub = redis.pubsub()
    await pubsub.subscribe(keys.deltas(0))
    await pubsub.get_message(timeout=1)

    assert [None] == await store.commit([(lease, plan)], a_master())

    snapshot = await store.snapshot(0)
    message = await pubsub.get_message(timeout=1)
    await pubsub.aclose()

    assert Position(lease.epoch, 1) == snapshot.position
    assert a_quote() == snapshot.images[RELIANCE.code].quote
    assert plan.confirmed == snapshot.confirmed
    published = unpack_frame(message["data"])
    assert plan.frame == replace(published, published_at_ms=0)
    assert 0 <= store.now_ms() - published.published_at_ms < 5_000
    assert (RELIANCE.code, plan.images[RELIANCE.code]) == unpack_image(
        await redis.get("stock:quote:RELIANCE")
    )
    assert 290 < await redis.ttl("stock:quote:RELIANCE") <= 300


async def test_confirmation_without_change_refreshes_the_quote_key(store, redis):
    """A price that the source confirmed again does not expire."""
    lease, writer = await a_term(store)
    first = writer.plan_list({RELIANCE.code: seen(a_quote())}, 1)
    await store.commit([(lease, first)], a_master())
    writer.committed(first)
    await redis.expire("stock:quote:RELIANCE", 5)

    again = writer.plan_list({RELIANCE.code: seen(a_quote())}, 2)
    await store.commit([(lease, again)], a_master())

    assert () == again.frame.changes
    assert await redis.ttl("stock:quote:RELIANCE") > 290


async def test_only_one_holds_the_lease(store):
    """A second fetcher gets nothing while the first holds the shard."""
    assert await store.take_lease(0, "fetcher-1", 3000, 0) is not None
    assert await store.take_lease(0, "fetcher-2", 3000, 0) is None


async def test_a_writer_whose_lease_was_taken_over_cannot_write(store, redis):
    """Fencing: what a paused writer sends when it wakes is refused and changes nothing."""
    lease, writer = await a_term(store)
    await redis.delete(keys.lease(0))
    newer = await store.take_lease(0, "fetcher-2", 3000, 0)

    plan = writer.plan_list({TCS.code: seen(a_quote())}, 1)
    (refused,) = await store.commit([(lease, plan)], a_master())

    assert isinstance(refused, Fenced)
    assert {} == (await store.snapshot(0)).images
    assert newer.epoch > lease.epoch
    assert [newer] == await store.renew_leases([lease, newer], 3000)


async def test_a_store_that_lost_writes_refuses_the_old_term(store, redis):
    """After a roll-back the writer must read again what the store holds: it can't write on a guess."""
    lease, writer = await a_term(store)
    plan = writer.plan_list({TCS.code: seen(a_quote())}, 1)
    await store.commit([(lease, plan)], a_master())
    writer.committed(plan)
    await redis.hset(keys.head(0), "sequence", 0)

    (refused,) = await store.commit(
        [(lease, writer.plan_list({TCS.code: seen(a_quote(1))}, 2))], a_master()
    )

    assert "store is at" in str(refused)


async def test_epochs_never_run_backwards(store, redis):
    """An epoch is above the stored one, the store's clock and what the fetcher has seen."""
    first = await store.take_lease(0, "f", 3000, 0)
    again = await store.take_lease(0, "f", 3000, 0)
    await redis.flushall()
    floored = await store.take_lease(0, "f", 3000, again.epoch + 1_000_000)

    assert first.epoch < again.epoch
    assert again.epoch + 1_000_000 == floored.epoch


async def test_released_lease_is_free_at_once(store):
    """A fetcher that stops in order leaves no gap."""
    lease = await store.take_lease(0, "fetcher-1", 60_000, 0)
    await store.release_leases([lease])

    assert await store.take_lease(0, "fetcher-2", 3000, 0) is not None


async def test_scripts_are_taught_again_after_a_flush(store, redis):
    """A restarted server has forgotten the scripts; nobody notices."""
    await redis.script_flush()

    assert await store.take_lease(0, "f", 3000, 0) is not None


async def test_the_store_clock_is_learnt_from_every_round_trip(store, redis):
    """Ages need one time base; a second of error would already be wrong."""
    await store.heads()
    seconds, microseconds = await redis.time()

    assert abs(store.now_ms() - (seconds * 1000 + microseconds / 1000)) < 200


async def test_instruments_come_back_with_their_version(store):
    """The master survives the way through the store."""
    await store.save_instruments(a_master())
    found = await store.instruments()

    assert a_master().by_code == found.by_code
    assert 1 == found.version == (await store.heads()).instruments_version


async def test_an_unreachable_server_is_one_typed_error():
    """Whatever the driver raises, callers see StoreUnavailable."""
    settings = RedisSettings(url="redis://127.0.0.1:1/0")
    async with open_redis(settings, "test") as nowhere:
        lost = MarketStore(nowhere, SystemClock(), shards=1)
        for call in (lost.heads(), lost.snapshot(0), lost.take_lease(0, "f", 1, 0)):
            with pytest.raises(StoreUnavailable):
                await call
