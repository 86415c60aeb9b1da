"""Who comes from a replica that was ahead is held back until this one has come there; never for ever."""

import asyncio

import pytest

from bse_shared.quotes.position import Position
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.testing.builders import RELIANCE, TCS, a_quote
from bse_ws_hub.sockets import catch_up as module
from bse_ws_hub.sockets.catch_up import CatchUp


NOWHERE = Position(1 << 50, 1)
"""A place that no fetcher was at."""


@pytest.fixture
def follower(redis, market):
    """A follower that has read nothing yet."""
    return QuoteFollower(redis, market.store)


@pytest.fixture
async def tasks():
    """Runs what a test starts beside itself."""
    async with asyncio.TaskGroup() as group:
        yield group


@pytest.fixture
async def waiting(tasks, until):
    """Starts somebody's wait."""

    async def start(catch_up, vector):
        before = len(catch_up._waits)
        task = tasks.create_task(catch_up.reach(vector))
        await until(lambda: len(catch_up._waits) > before or task.done())
        return task

    return start


async def repaired(follower, tasks):
    """One round of the follower's repair, but for its pause."""
    repair = tasks.create_task(follower.repair())
    await asyncio.wait_for(follower.readied.wait(), 5)
    repair.cancel()


async def test_who_is_ahead_waits_until_this_hub_has_come_there(
    follower, market, waiting, tasks
):
    """The end of the wait is an event of the follower: nobody looks in between."""
    (head,) = (await market.store.heads()).shards
    task = await waiting(CatchUp(follower, market.store.heads), [head.position])
    assert not task.done()
    await repaired(follower, tasks)
    await asyncio.wait_for(task, 1)

    assert head.position == follower.table.position(0)


async def test_the_store_says_how_far_anybody_can_be(follower, market, waiting, tasks):
    """A client may have got more after the heartbeat that named its place."""
    await repaired(follower, tasks)
    before = follower.table.position(0)
    await market.report({RELIANCE.code: a_quote(5), TCS.code: a_quote()})
    task = await waiting(CatchUp(follower, market.store.heads), [before])
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    follower.table.read_again()
    follower.readied.clear()
    await repaired(follower, tasks)
    await asyncio.wait_for(task, 1)


async def test_nobody_waits_for_a_place_that_does_not_exist(
    follower, market, waiting, monkeypatch
):
    """After the bound the hub answers with what it has."""
    monkeypatch.setattr(module, "BEHIND_MAX_MS", 1)
    catch_up = CatchUp(follower, market.store.heads)
    task = await waiting(catch_up, [NOWHERE])
    await asyncio.wait_for(task, 1)

    assert not catch_up._waits


async def test_nobody_waits_where_the_store_cannot_say(follower, waiting):
    """A store that is away is no reason to hold anybody back."""

    async def away():
        raise StoreUnavailable("cut off")

    await asyncio.wait_for(await waiting(CatchUp(follower, away), [NOWHERE]), 1)


async def test_at_the_end_of_the_process_nobody_waits(follower, market, waiting, tasks):
    """Everybody who waits is let go at once, and who waits no more is forgotten."""
    catch_up = CatchUp(follower, market.store.heads)
    tasks = [await waiting(catch_up, [NOWHERE]) for _ in range(3)]
    catch_up.give_up()
    await asyncio.wait_for(asyncio.gather(*tasks), 1)

    assert not catch_up._waits
    assert (await waiting(catch_up, [NOWHERE])).done()


async def test_a_stream_that_waits_is_refused_when_the_hub_goes(
    hub, http, until, tasks
):
    """It comes back elsewhere; the drain does not wait for it."""
    headers = {"Last-Event-ID": f"{NOWHERE.epoch:x}-1"}
    url = f"{hub.url}/sse?symbols=TCS"
    asking = tasks.create_task(http.get(url, headers=headers))
    await until(lambda: hub.catch_up._waits)
    await hub.service.drain()
    answer = await asyncio.wait_for(asking, 1)

    assert 503 == answer.status
    assert "too-many-connections" in await answer.text()
    assert [] == [name for name, count in hub.left_over().items() if count]
