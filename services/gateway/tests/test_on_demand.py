"""Quotes that are asked for when somebody wants them, on a real store."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from bse_gateway.metrics import GatewayMetrics
from bse_gateway.on_demand import FLIGHTS_MAX, QUIET_MS, OnDemand
from bse_gateway.settings import RestSettings
from bse_shared.quotes.quote_table import ALL_FIELDS, GONE
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.redis_edge.store import MarketStore
from bse_shared.testing.builders import INFY, RELIANCE, TCS, a_quote
from bse_shared.testing.fake_clock import FakeClock


CODE = INFY.code
PATIENT = RestSettings(on_demand_within_s=2)


class Replica:
    """One gateway's part, and what it counted."""

    def __init__(self, redis, within_s=2):
        self.clock, self.registry = FakeClock(), CollectorRegistry()
        self.part = OnDemand(
            DemandBoard(redis),
            MarketStore(redis, self.clock, 1),
            self.clock,
            GatewayMetrics(self.registry),
            within_s,
        )

    def counted(self, result):
        """How often that was the end."""
        return self.registry.get_sample_value(
            "gateway_on_demand_total", {"result": result}
        )


@asynccontextmanager
async def listening(redis):
    """What a fetcher hears."""
    heard = DemandBoard(redis).missed()
    assert await anext(heard) is None
    yield heard
    await heard.aclose()


async def next_code(heard):
    """The next code that is asked for."""
    async with asyncio.timeout(2):
        while (code := await anext(heard)) is None:
            pass
    return int(code)


async def test_many_readers_of_two_replicas_ask_once(redis):
    """All of them get the quote when the table has it."""
    one, other = Replica(redis), Replica(redis)
    async with listening(redis) as heard, asyncio.TaskGroup() as group:
        waiting = [
            group.create_task(replica.part.arrives(CODE))
            for replica in (one, other)
            for _ in range(5)
        ]
        assert CODE == await next_code(heard)
        await DemandBoard(redis).ask(TCS.code)
        assert TCS.code == await next_code(heard)  # and nothing between
        for replica in (one, other):
            replica.part.take({TCS.code: ALL_FIELDS, CODE: GONE})
            assert not any(task.done() for task in waiting)
            replica.part.take({CODE: ALL_FIELDS})

    assert all(task.result() for task in waiting)
    assert (1, 1) == (one.counted("arrived"), other.counted("arrived"))


async def test_what_does_not_come_is_given_up_and_left_alone_for_a_while(redis):
    """Then it is asked for again."""
    replica = Replica(redis, within_s=0.05)
    assert not await replica.part.arrives(CODE)
    assert not await replica.part.arrives(CODE)
    assert (1, 1) == (replica.counted("late"), replica.counted("quiet"))

    replica.clock.advance(QUIET_MS)
    assert not await replica.part.arrives(CODE)
    assert 2 == replica.counted("late")


async def test_what_the_store_has_is_not_asked_for(redis):
    """The table is about to read it."""
    replica = Replica(redis, within_s=0.05)
    await redis.hset(keys.quotes(0), str(CODE), b"an image")
    assert not await replica.part.arrives(CODE)
    assert not await redis.exists(keys.demand_asked(CODE))


async def test_with_the_store_away_nobody_waits():
    """And it is asked for as soon as the store is back."""
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "t") as away:
        replica = Replica(away, within_s=2)
        async with asyncio.timeout(1.5):
            assert not await replica.part.arrives(CODE)
            assert not await replica.part.arrives(CODE)
    assert 2 == replica.counted("store_away")


async def test_a_reader_who_leaves_does_not_end_what_others_wait_for(redis):
    """Each waits for himself."""
    replica = Replica(redis)
    async with listening(redis) as heard, asyncio.TaskGroup() as group:
        first = group.create_task(replica.part.arrives(CODE))
        second = group.create_task(replica.part.arrives(CODE))
        assert CODE == await next_code(heard)
        first.cancel()
        replica.part.take({CODE: ALL_FIELDS})
        assert await second
    assert first.cancelled()


@pytest.mark.parametrize("path", ["/api/stock/INFY", "/api/stock/INFY/depth"])
async def test_a_request_is_answered_with_the_quote_that_it_asked_for(
    redis, market, make_door, client_of, path
):
    """As if it had always been there; what does not come is a 404 as ever."""
    door = await make_door(rest=PATIENT)
    async with (
        client_of(door.app) as client,
        listening(redis) as heard,
        asyncio.TaskGroup() as group,
    ):
        asked = group.create_task(client.get(path))
        assert CODE == await next_code(heard)
        market.report({CODE: a_quote(150_000)})
    assert (200, 1500) == (asked.result().status_code, asked.result().json()["last"])


async def test_a_request_for_what_never_comes_is_a_404(redis, make_door, client_of):
    """The problem that it always was."""
    async with (
        client_of((await make_door()).app) as client,
        listening(redis) as heard,
    ):
        answer = await client.get("/api/stock/TCS")
        batch = await client.get("/api/stocks/batch?symbols=INFY,XX")
        unknown = await client.get("/api/stock/XX")
        assert [TCS.code, CODE] == [await next_code(heard), await next_code(heard)]
    assert (404, "/problems/no-quote") == (answer.status_code, answer.json()["type"])
    assert ["no_quote", "unknown_symbol"] == [
        each["reason"] for each in batch.json()["errors"]
    ]
    assert 404 == unknown.status_code


async def test_several_are_waited_for_together(redis):
    """To one deadline: what came is told although another one did not."""
    replica = Replica(redis, within_s=0.3)
    async with listening(redis) as heard, asyncio.TaskGroup() as group:
        waiting = group.create_task(replica.part.any_arrives([CODE, TCS.code]))
        assert {CODE, TCS.code} == {await next_code(heard), await next_code(heard)}
        replica.part.take({CODE: ALL_FIELDS})
        async with asyncio.timeout(1):
            assert await waiting
    assert (1, 1) == (replica.counted("arrived"), replica.counted("late"))
    assert (False, True) == (
        replica.part.is_quiet(CODE),
        replica.part.is_quiet(TCS.code),
    )
    assert not await replica.part.any_arrives([TCS.code])


async def test_only_so_many_are_asked_for_at_a_time(redis):
    """A list of hundreds must not keep a source from the market."""
    replica = Replica(redis, within_s=0.05)
    codes = range(500_000, 500_000 + FLIGHTS_MAX + 5)
    assert not await replica.part.any_arrives(codes)
    assert (FLIGHTS_MAX, 5) == (replica.counted("late"), replica.counted("busy"))
    assert not await replica.part.arrives(codes[-1])
    assert FLIGHTS_MAX + 1 == replica.counted("late")


async def test_a_batch_is_answered_with_what_came(redis, market, make_door, client_of):
    """One instant for all, as ever."""
    market.report({RELIANCE.code: a_quote()})
    door = await make_door(rest=RestSettings(on_demand_within_s=0.3))
    async with (
        client_of(door.app) as client,
        listening(redis) as heard,
        asyncio.TaskGroup() as group,
    ):
        path = "/api/stocks/batch?symbols=INFY,RELIANCE,TCS"
        asked = group.create_task(client.get(path))
        await next_code(heard)
        await next_code(heard)
        market.report({RELIANCE.code: a_quote(), CODE: a_quote(150_000)})
    found = asked.result().json()
    assert ["INFY", "RELIANCE"] == [each["symbol"] for each in found["quotes"]]
    assert [("TCS", "no_quote")] == [
        (each["symbol"], each["reason"]) for each in found["errors"]
    ]
