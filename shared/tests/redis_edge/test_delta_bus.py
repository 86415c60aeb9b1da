"""The bus as its readers see it, on a real server."""

import asyncio
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis
from bse_shared.redis_edge.delta_bus import messages


@pytest.fixture
async def reader(redis_server):
    """A client of its own for the subscriber."""
    async with open_redis(RedisSettings(url=redis_server), "reader") as client:
        yield client


async def test_none_comes_first_when_all_channels_are_followed(redis, reader):
    """From then on whatever is published arrives, in order, with its channel."""
    async with aclosing(messages(reader, ["a", "b"], 2)) as bus:
        first = await anext(bus)
        followers = await redis.pubsub_numsub("a", "b")
        await redis.publish("a", b"\xff1")
        await redis.publish("b", b"2")
        found = [await anext(bus), await anext(bus)]

    assert first is None
    assert [(b"a", 1), (b"b", 1)] == followers
    assert [("a", b"\xff1"), ("b", b"2")] == found


@pytest.mark.usefixtures("redis")
async def test_silence_is_an_error(reader):
    """A frozen server says nothing at all."""
    async with aclosing(messages(reader, ["a"], 0.05)) as bus:
        await anext(bus)
        with pytest.raises(StoreUnavailable, match="silent"):
            await anext(bus)


async def test_each_message_begins_the_silence_anew(redis, reader):
    """Only what lies between two messages counts."""
    loop = asyncio.get_running_loop()
    async with aclosing(messages(reader, ["a"], 0.3)) as bus:
        await anext(bus)
        started = loop.time()
        for _ in range(4):
            loop.call_later(0.15, publish_soon, redis)
            await anext(bus)

    assert loop.time() - started > 0.5


SENT = set()


def publish_soon(redis: Redis):
    """Publish without waiting for it."""
    task = asyncio.ensure_future(redis.publish("a", b"x"))
    SENT.add(task)
    task.add_done_callback(SENT.discard)


async def test_a_broken_connection_is_an_error(redis, reader):
    """The server cut it; the caller subscribes again."""
    async with aclosing(messages(reader, ["a"], 2)) as bus:
        await anext(bus)
        await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        with pytest.raises(StoreUnavailable):
            await anext(bus)


async def test_an_unreachable_server_is_an_error():
    """The same one."""
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "x") as nowhere:
        with pytest.raises(StoreUnavailable):
            await anext(messages(nowhere, ["a"], 1))


async def test_a_reader_that_stops_leaves_no_subscription(redis, reader):
    """The connection does not go on receiving."""
    async with aclosing(messages(reader, ["a"], 2)) as bus:
        await anext(bus)
    async with asyncio.timeout(2):
        while (await redis.pubsub_numsub("a"))[0][1]:  # noqa: ASYNC110 - its own state
            await asyncio.sleep(0)
