"""One look at everything: a real store, real little instances."""

from functools import partial

import pytest

from bse_monitor.rules.instance_verdict import is_missing
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import Answer
from bse_monitor.watch.heartbeats import Heartbeats
from bse_monitor.watch.lookout import Lookout
from bse_monitor.watch.service_probes import open_probes
from bse_monitor.watch.store_view import StoreView
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.redis_edge.instances import Instances
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.system_clock import SystemClock


class Switch:
    """A way to the store that can be cut: the live client, or one that reaches nothing."""

    def __init__(self, live, dead):
        self._live = live
        self._dead = dead
        self.cut = False

    def __getattr__(self, name):
        return getattr(self._dead if self.cut else self._live, name)


@pytest.fixture
async def way(redis):
    """The way to the store."""
    settings = RedisSettings(url="redis://127.0.0.1:1/0")
    async with open_redis(settings, "test") as nowhere:
        yield Switch(redis, nowhere)


@pytest.fixture
def store(way):
    """The store behind it."""
    return MarketStore(way, SystemClock(), shards=1)


@pytest.fixture
async def lookout(way, store):
    """A lookout on that store."""
    async with open_probes(SystemClock(), 5, 4) as probes:
        yield Lookout(
            StoreView(store, SystemClock()),
            Heartbeats(Instances(way), (), 10),
            probes,
            partial(is_missing, limits=Limits()),
        )


async def test_an_instance_is_found_by_its_heartbeat_and_asked(
    lookout, store, redis, serve, a_beat
):
    """The address is the heartbeat's; the time is the store's."""
    await store.heads()
    beat = a_beat(url=await serve(), at_ms=store.now_ms())
    await Instances(redis).beat(beat)
    seen = await lookout.look()

    assert seen.store.reachable
    assert abs(seen.now_ms - beat.at_ms) < 5000
    (instance,) = seen.instances
    assert (beat, Answer.READY) == (instance.heartbeat, instance.probe.answer)


async def test_a_missing_instance_is_not_asked(lookout, store, redis, serve, a_beat):
    """Its address may be somebody else's by now, also that of a live instance."""
    await store.heads()
    url = await serve()
    await Instances(redis).beat(
        a_beat("gateway", "live", url=url, at_ms=store.now_ms())
    )
    await Instances(redis).beat(
        a_beat("gateway", "dead", url=url, at_ms=store.now_ms() - 60_000)
    )
    seen = await lookout.look()

    assert {"live": True, "dead": False} == {
        i.heartbeat.instance: i.probe is not None for i in seen.instances
    }


async def test_instances_are_still_asked_while_the_store_is_away(
    lookout, store, way, redis, serve, a_beat, a_report
):
    """What was seen last is remembered, with the time it was seen."""
    await store.beat(a_report())
    await Instances(redis).beat(a_beat(url=await serve(), at_ms=store.now_ms()))
    before = await lookout.look()
    way.cut = True
    during = await lookout.look()
    way.cut = False
    after = await lookout.look()

    assert [True, False, True] == [s.store.reachable for s in (before, during, after)]
    assert "ConnectionError" in during.store.error
    assert Answer.READY is during.instances[0].probe.answer
    assert before.heartbeats_at_ms == during.heartbeats_at_ms < during.now_ms + 1
    assert a_report() == during.feed.status


async def test_a_store_never_reached_leaves_nothing_seen(lookout, way):
    """Redis is away at the start: no time, no instances, and the reason."""
    way.cut = True
    seen = await lookout.look()

    assert (0, False, ()) == (seen.now_ms, seen.store.reachable, seen.instances)


async def test_foreign_bytes_do_not_end_the_monitor(lookout, redis):
    """They confirm nothing, so the feed is old, and the look goes on."""
    await redis.hset(keys.head(0), "confirmed", b"garbage")
    seen = await lookout.look()

    assert seen.store.reachable
    assert 0 == seen.feed.shards[0].confirmed_at_ms
