"""The assembled gateway on a real store, through an outage and back."""

import asyncio
import json

from redis.asyncio import Redis

from bse_gateway.identity.act_log import Actor
from bse_gateway.identity.key_desk import KeyDesk, KeyWish
from bse_gateway.settings import AuthSettings
from bse_local_stack.redis_server import running_server
from bse_shared.redis_edge.calendar_board import CalendarBoard
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.redis_edge.identity_store import IdentityStore
from bse_shared.service.loops import LoopMetrics, run_loop
from bse_shared.sessions.calendar import builtin_calendar_file


async def test_a_quote_outlives_its_store_and_is_live_again_after(
    clock, port, client_of, assembled, running, commit
):
    """Committed is served; with Redis killed it is served as stale; with Redis back it is live again."""
    async with (
        assembled(port, clock) as (service, shell, loops),
        client_of(service.app) as client,
    ):
        metrics = LoopMetrics(shell.registry)

        def follow_bus():
            return run_loop(loops["follow_bus"], shell.health, metrics)

        with running_server(port) as url:
            await commit(url, 290_135, clock)
            async with running(follow_bus()):
                await loops["repair"].step()
                live = (await client.get("/api/stock/RELIANCE")).json()
                assert [] == service.not_ready()
        clock.advance(7_500)
        stale = (await client.get("/api/stock/RELIANCE")).json()
        assert ["the bus is not heard: quotes grow stale"] == service.not_ready()
        with running_server(port) as url:
            await commit(url, 290_140, clock)
            async with running(follow_bus()):
                await loops["repair"].step()  # until the bus is heard again,
                await loops["repair"].step()  # which asks for all shards anew
            again = (await client.get("/api/stock/RELIANCE")).json()

    assert (2901.35, "live") == (live["last"], live["quality"])
    assert (2901.35, "stale") == (stale["last"], stale["quality"])
    assert stale["age_ms"] >= 7_500
    assert (2901.4, "live") == (again["last"], again["quality"])


async def test_a_revocation_travels_over_the_bus_between_replicas(
    clock, port, client_of, assembled, running, commit
):
    """Made at one gateway, in force at the other with the message; signed by one, good at both."""
    path = "/api/stock/RELIANCE"
    with running_server(port) as url:
        await commit(url, 290_135, clock)
        async with (
            assembled(port, clock) as (one, shell, loops),
            assembled(port, clock) as (other, _, others),
            client_of(one.app) as client,
            client_of(other.app) as elsewhere,
        ):
            for each in (loops, others):
                await each["publish_keys"].step()
                await each["repair"].step()
            metrics = LoopMetrics(shell.registry)
            follow = run_loop(others["follow_bus"], shell.health, metrics)
            signed = await client.post(
                "/api/auth/token", headers={"x-api-key": await a_key(url, clock)}
            )
            token = signed.json()["access_token"]
            bearer = {"authorization": f"Bearer {token}"}
            async with running(follow), Redis.from_url(url) as redis:
                async with asyncio.timeout(2):
                    while not other.detail()["redis_connected"]:
                        await redis.ping()
                clock.advance(1_000)
                good = await elsewhere.get(path, headers=bearer)
                await client.post("/api/auth/revoke", json={"token": token})
                async with asyncio.timeout(2):
                    while (
                        200 == (await elsewhere.get(path, headers=bearer)).status_code
                    ):
                        await redis.ping()
    assert 200 == good.status_code


async def test_a_miss_is_asked_for_and_answered_when_the_bus_brings_it(
    clock, port, client_of, assembled, running, commit
):
    """The whole way: request, board, fetcher, store, bus, table, answer."""
    with running_server(port) as url:
        await commit(url, 290_135, clock)
        async with (
            assembled(port, clock) as (service, shell, loops),
            client_of(service.app) as client,
            Redis.from_url(url) as redis,
        ):
            heard = DemandBoard(redis).missed()
            assert await anext(heard) is None
            metrics = LoopMetrics(shell.registry)
            follow = run_loop(loops["follow_bus"], shell.health, metrics)
            async with running(follow):
                await loops["repair"].step()
                async with asyncio.timeout(2):
                    while not service.detail()["redis_connected"]:
                        await redis.ping()
                await loops["repair"].step()
                async with asyncio.TaskGroup() as group:
                    asked = group.create_task(client.get("/api/stock/TCS"))
                    async with asyncio.timeout(2):
                        while (code := await anext(heard)) is None:
                            pass
                    await commit(url, 301_000, clock, int(code))
                    # A new lease is a new epoch, which is read from the store.
                    while not asked.done():
                        await loops["repair"].step()
            await heard.aclose()
    assert (200, 3010) == (asked.result().status_code, asked.result().json()["last"])


async def test_the_minute_under_way_comes_from_the_bus(
    clock, port, client_of, assembled, running, commit
):
    """Two trades after the first look are a candle that the store has not."""
    path = "/api/stock/RELIANCE/candles"
    with running_server(port) as url:
        await commit(url, 290_000, clock, at_ms=1_795_334_400_000)
        async with (
            assembled(port, clock) as (service, shell, loops),
            client_of(service.app) as client,
        ):
            metrics = LoopMetrics(shell.registry)
            follow = run_loop(loops["follow_bus"], shell.health, metrics)
            async with running(follow), Redis.from_url(url) as redis:
                await loops["repair"].step()
                async with asyncio.timeout(2):
                    while not service.detail()["redis_connected"]:
                        await redis.ping()
                await loops["repair"].step()
                before = (await client.get(path)).json()["candles"]
                for price in (290_100, 290_300):
                    await commit(url, price, clock, at_ms=1_795_334_460_000)
                    await loops["repair"].step()
                    await loops["repair"].step()
                    await loops["watch_minutes"].step()
                (candle,) = (await client.get(path)).json()["candles"]
    assert [] == before
    assert (1_795_334_460_000, 2901, 2903, False) == (
        candle["start_ms"],
        candle["open"],
        candle["close"],
        candle["complete"],
    )


async def test_the_calendar_of_the_fetchers_is_followed(
    clock, port, client_of, assembled
):
    """A declared holiday is told without a restart."""
    rows = json.loads(builtin_calendar_file())
    rows["holidays"].append({"date": "2026-12-31", "name": "declared"})
    with running_server(port) as url:
        async with (
            assembled(port, clock) as (service, _, loops),
            client_of(service.app) as client,
            Redis.from_url(url) as redis,
        ):
            await CalendarBoard(redis).put(json.dumps(rows).encode())
            await loops["follow_calendar"].step()
            days = (await client.get("/api/market/holidays?year=2026")).json()["days"]
    assert "2026-12-31" == days[-1]["date"]


async def a_key(url, clock):
    """A new API key."""
    async with Redis.from_url(url) as redis:
        pepper = AuthSettings().pepper_bytes
        desk = KeyDesk(IdentityStore(redis, pepper), pepper, clock)
        key, _ = await desk.create(KeyWish("test", "trader"), Actor("test"))
        return key.text


async def test_a_gateway_without_a_store_waits(clock, port, client_of, assembled):
    """It starts, says that it is not ready, and asks callers to come again."""
    async with (
        assembled(port, clock) as (service, _, _),
        client_of(service.app) as client,
    ):
        answer = await client.get("/api/stock/RELIANCE")
        assert (503, "1") == (answer.status_code, answer.headers["retry-after"])
        assert ["quotes not read yet"] == service.not_ready()
        assert {"synced": False, "redis_connected": False} == {
            name: service.detail()[name] for name in ("synced", "redis_connected")
        }
