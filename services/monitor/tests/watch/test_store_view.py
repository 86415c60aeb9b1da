"""The store, looked at: a real server."""

import pytest

from bse_monitor.watch.store_view import StoreView
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.builders import RELIANCE, TCS, a_master, a_quote, seen


@pytest.fixture
def store(redis):
    """A store of a market in two shards."""
    return MarketStore(redis, SystemClock(), shards=2)


async def commit(store, plan_of):
    """Let a fetcher write shard 0."""
    lease = await store.take_lease(0, "fetcher-1", 3000, 0)
    plan = plan_of(ShardWriter(await store.snapshot(0)))
    await store.commit([(lease, plan)], a_master())
    return lease


async def test_positions_and_confirmations_are_seen(store):
    """A shard that was never written stands at zero."""
    lease = await commit(
        store, lambda w: w.plan_list({RELIANCE.code: seen(a_quote())}, 4000)
    )
    sight = await StoreView(store, SystemClock()).read()

    assert sight.store.reachable
    assert sight.store.latency_ms >= 0
    assert [(lease.epoch, 1), (0, 0)] == [s.position for s in sight.feed.shards]
    assert [4000, 0] == [s.confirmed_at_ms for s in sight.feed.shards]


async def test_the_newest_confirmation_counts_when_a_source_speaks_of_single_scrips(
    store,
):
    """A batch source never confirms a whole shard."""
    await commit(store, lambda w: w.plan_batch({TCS.code: seen(a_quote())}, 5000))
    sight = await StoreView(store, SystemClock()).read()

    assert 5000 == sight.feed.shards[0].confirmed_at_ms


async def test_the_feed_report_is_seen(store, a_report):
    """As the fetcher left it."""
    await store.beat(a_report())

    assert a_report() == (await StoreView(store, SystemClock()).read()).feed.status


async def test_a_store_that_is_away_is_the_known_error():
    """Whatever the driver raises."""
    settings = RedisSettings(url="redis://127.0.0.1:1/0")
    async with open_redis(settings, "test") as nowhere:
        lost = MarketStore(nowhere, SystemClock(), shards=1)
        with pytest.raises(StoreUnavailable):
            await StoreView(lost, SystemClock()).read()


async def test_foreign_bytes_in_the_store_confirm_nothing(store, redis):
    """Another version, or another program, writes there: what can't be read is no confirmation."""
    await redis.hset(keys.head(0), "confirmed", b"garbage")
    seen = await StoreView(store, SystemClock()).read()

    assert 0 == seen.feed.shards[0].confirmed_at_ms
