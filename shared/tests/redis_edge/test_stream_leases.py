"""How many streams an identity has over all hubs, and who holds a session name, on a real store."""

import asyncio

import pytest

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import (
    RedisSettings,
    StoreUnavailable,
    open_redis,
)
from bse_shared.redis_edge.stream_leases import (
    Held,
    SessionName,
    StreamLeases,
    TakenOver,
    Wish,
)
from bse_shared.service.system_clock import SystemClock
from bse_shared.wire.records import from_json


DESK = SessionName("key:a", "desk")


@pytest.fixture
async def hubs(redis):
    """Two hubs that have taken their place."""
    found = [StreamLeases(redis, SystemClock(), name) for name in ("h1", "h2")]
    assert [False, False] == [await hub.renew() for hub in found]
    return found


async def run_out(redis, hub):
    """The hub's lease ends, as after a crash."""
    await redis.zadd(keys.STREAM_HUBS, {hub: 1})


async def test_streams_are_counted_over_all_hubs(hubs):
    """The limit holds wherever they come."""
    first, second = hubs
    assert [True, True] == await first.take([Wish("key:a", 1, 3), Wish("key:a", 2, 3)])
    assert [True, False] == await second.take(
        [Wish("key:a", 1, 3), Wish("key:a", 2, 3)]
    )
    assert [True] == await second.take([Wish("key:b", 1, 3)])


async def test_what_is_closed_is_free_again(hubs, redis):
    """And the last one of a hub leaves nothing behind."""
    first, second = hubs
    await first.take([Wish("key:a", 1, 1)])
    assert [False] == await second.take([Wish("key:a", 1, 1)])
    await first.write({"key:a": 0})

    assert not await redis.exists(keys.streams_of("key:a"))
    assert [True] == await second.take([Wish("key:a", 1, 1)])


async def test_the_streams_of_a_crashed_hub_count_until_its_lease_runs_out(hubs, redis):
    """Within 15 s; then its count is removed by whoever comes."""
    first, second = hubs
    await first.take([Wish("key:a", 1, 1)])
    score = await redis.zscore(keys.STREAM_HUBS, "h1")
    seconds, _ = await redis.time()
    assert 14 <= score / 1000 - seconds <= 16
    assert [False] == await second.take([Wish("key:a", 1, 1)])

    await run_out(redis, "h1")
    assert [True] == await second.take([Wish("key:a", 1, 1)])
    assert {b"h2": b"1"} == await redis.hgetall(keys.streams_of("key:a"))


async def test_a_hub_learns_that_it_was_given_up(hubs, redis):
    """Then it has to say again what it holds."""
    first, _ = hubs
    assert await first.renew()
    await run_out(redis, "h1")
    assert not await first.renew()
    assert await first.renew()


async def test_a_hub_that_leaves_frees_all_at_once(hubs):
    """An orderly end needs no time-out."""
    first, second = hubs
    await first.take([Wish("key:a", 1, 1)])
    await first.leave()
    assert [True] == await second.take([Wish("key:a", 1, 1)])


async def test_the_newest_holds_a_session_name_and_all_are_told(hubs, redis):
    """By the order in which the store saw them, however close they come."""
    first, second = hubs
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.TAKEOVER_CHANNEL)
        await pubsub.get_message(timeout=1)
        (older,) = await first.hold([(DESK, "h1.1", 0)])
        (newer,) = await second.hold([(DESK, "h2.1", 0)])
        told = [(await pubsub.get_message(timeout=1))["data"] for _ in range(2)]

    assert (True, False) == (older.mine, older.had_another)
    assert (True, True) == (newer.mine, newer.had_another)
    assert older.since_us < newer.since_us
    messages = [from_json(data, TakenOver) for data in told]
    assert [
        ("key:a", "desk", "h1.1", older.since_us),
        ("key:a", "desk", "h2.1", newer.since_us),
    ] == [(m.owner, m.session, m.stream, m.since_us) for m in messages]


async def test_who_missed_the_message_learns_of_it_when_he_renews(hubs):
    """And the newer one goes on holding it."""
    first, second = hubs
    (older,) = await first.hold([(DESK, "h1.1", 0)])
    (newer,) = await second.hold([(DESK, "h2.1", 0)])

    assert [Held(False, newer.since_us, True)] == await first.hold(
        [(DESK, "h1.1", older.since_us)]
    )
    assert [Held(True, newer.since_us, False)] == await second.hold(
        [(DESK, "h2.1", newer.since_us)]
    )


async def test_after_the_store_lost_its_memory_the_newest_still_wins(hubs, redis):
    """In whatever order they come back."""
    first, second = hubs
    (older,) = await first.hold([(DESK, "h1.1", 0)])
    (newer,) = await second.hold([(DESK, "h2.1", 0)])
    await redis.flushall()

    assert (await first.hold([(DESK, "h1.1", older.since_us)]))[0].mine
    assert (await second.hold([(DESK, "h2.1", newer.since_us)]))[0].mine
    assert not (await first.hold([(DESK, "h1.1", older.since_us)]))[0].mine


async def test_only_its_holder_lets_go_of_a_name(hubs, redis):
    """The older one's end must not free what is the newer one's."""
    first, second = hubs
    await first.hold([(DESK, "h1.1", 0)])
    await second.hold([(DESK, "h2.1", 0)])
    await first.release(DESK, "h1.1")
    assert await redis.exists(DESK.key)
    await second.release(DESK, "h2.1")
    assert not await redis.exists(DESK.key)


@pytest.mark.parametrize("name", ["a:b", "\0", "é\U0001f600", "x" * 64, '"\\/'])
async def test_a_name_may_hold_anything(hubs, redis, name):
    """It comes back as it is, and is nobody else's."""
    session = SessionName("ip:2001:db8::/64", name)
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.TAKEOVER_CHANNEL)
        await pubsub.get_message(timeout=1)
        await hubs[0].hold([(session, "h1.1", 0)])
        data = (await pubsub.get_message(timeout=1))["data"]
    told = from_json(data, TakenOver)
    assert session == SessionName(told.owner, told.session)
    assert session.key != SessionName("ip", f"2001:db8::/64{name}").key


async def test_hubs_that_take_at_the_same_time_never_exceed_the_limit(hubs):
    """The script is one step for the store."""
    first, second = hubs
    granted = await asyncio.gather(
        *(
            hub.take([Wish("key:a", here, 7) for here in range(1, 6)])
            for hub in (first, second)
        )
    )
    assert 7 == sum(map(sum, granted))


async def test_a_store_that_is_away_is_told_as_such():
    """The hub then counts by itself."""
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "t") as nowhere:
        leases = StreamLeases(nowhere, SystemClock(), "h1")
        for call in (leases.renew(), leases.leave(), leases.take([Wish("a", 1, 1)])):
            with pytest.raises(StoreUnavailable):
                await call
