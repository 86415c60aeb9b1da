"""Memory, store, fetcher: what each rung answers, and what is answered with the rungs below it away."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from bse_gateway.on_demand import QUIET_MS
from bse_local_stack.redis_server import running_server
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.service.loops import LoopMetrics, run_loop
from bse_shared.testing.builders import TCS


ONE, MANY = "/api/stock/TCS", "/api/stocks/batch?symbols=RELIANCE,TCS"
PATIENCE_S = 0.6


class Ladder:
    """A gateway that follows a store, and what may be asked of it."""

    def __init__(self, client, service, loops, clock):
        self.client = client
        self.service = service
        self.repair = loops["repair"].step
        self.clock = clock

    async def reason(self, path=ONE):
        """Why there is no quote of TCS: the problem's slug, or the reason in the batch."""
        answer = (await self.client.get(path)).json()
        if "errors" in answer:
            return answer["errors"][0]["reason"].replace("_", "-")
        return answer["type"].rpartition("/")[2]

    async def took_s(self, path=ONE):
        """How long the same took."""
        began_s = asyncio.get_running_loop().time()
        assert "no-quote" == await self.reason(path)
        return asyncio.get_running_loop().time() - began_s

    def counted(self, result):
        """How many waits ended so."""
        return (
            self.registry.get_sample_value(
                "gateway_on_demand_total", {"result": result}
            )
            or 0
        )


@pytest.fixture
def ladder(assembled, running, clock, port, client_of, commit):
    """A gateway that has read RELIANCE: `async with ladder() as (ladder, url)`."""

    @asynccontextmanager
    async def climb():
        async with (
            assembled(port, clock, on_demand_within_s=PATIENCE_S) as (
                service,
                shell,
                loops,
            ),
            client_of(service.app) as client,
        ):
            found = Ladder(client, service, loops, clock)
            found.registry = shell.registry
            follow = run_loop(
                loops["follow_bus"], shell.health, LoopMetrics(shell.registry)
            )
            with running_server(port) as url:
                await commit(url, 290_135, clock)
                async with running(follow), Redis.from_url(url) as redis:
                    await found.repair()
                    async with asyncio.timeout(2):
                        while not service.detail()["redis_connected"]:
                            await redis.ping()
                    await found.repair()
                    yield found, url
                    await redis.aclose()

    return climb


async def test_memory_answers_without_asking_anybody(ladder):
    """And says when the fetcher went silent: the price grows old, then stale."""
    async with ladder() as (rungs, _):
        live = (await rungs.client.get("/api/stock/RELIANCE")).json()
        rungs.clock.advance(7_500)
        stale = (await rungs.client.get("/api/stock/RELIANCE")).json()
        state = (await rungs.client.get("/api/market/status")).json()["feed"]["state"]
    assert ("live", "stale") == (live["quality"], stale["quality"])
    assert live["last"] == stale["last"]
    assert stale["age_ms"] - live["age_ms"] >= 7_500
    assert "unknown" == state  # no fetcher beats


@pytest.mark.parametrize("path", [ONE, MANY])
async def test_what_the_store_has_is_waited_for_and_nobody_is_asked(
    ladder, commit, path
):
    """The table is about to read it."""
    async with ladder() as (rungs, url), Redis.from_url(url) as redis:
        heard = DemandBoard(redis).missed()
        assert await anext(heard) is None
        await commit(url, 301_000, rungs.clock, TCS.code)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(rungs.client.get(path))
            while not asked.done():
                await rungs.repair()
        answer = asked.result().json()
        await DemandBoard(redis).ask(1)
        while (next_asked := await anext(heard)) is None:
            pass
        await heard.aclose()
    assert 3010 == answer.get("quotes", [{}, answer])[1]["last"]
    assert b"1" == next_asked  # nobody asked for TCS before


@pytest.mark.parametrize("path", [ONE, MANY])
async def test_with_the_fetcher_away_a_miss_is_one_after_the_deadline(ladder, path):
    """Once; then at once for a while, and then it is tried again."""
    async with ladder() as (rungs, _):
        assert await rungs.took_s(path) >= PATIENCE_S * 0.9
        assert await rungs.took_s(path) < PATIENCE_S * 0.5
        assert (1, 1) == (rungs.counted("late"), rungs.counted("quiet"))
        rungs.clock.advance(QUIET_MS)
        assert await rungs.took_s(path) >= PATIENCE_S * 0.9


@pytest.mark.parametrize("path", [ONE, MANY])
async def test_with_the_store_away_a_miss_is_one_at_once(ladder, path):
    """Memory still answers the rest, and what was missed is tried anew each time."""
    async with ladder() as (rungs, url):
        async with Redis.from_url(url) as redis:
            await redis.shutdown(nosave=True)
        assert await rungs.took_s(path) < PATIENCE_S * 0.9
        assert await rungs.took_s(path) < PATIENCE_S * 0.9
        assert 2 == rungs.counted("store_away")
        assert 200 == (await rungs.client.get("/api/stock/RELIANCE")).status_code
        batch = (await rungs.client.get(MANY)).json()
    assert ["RELIANCE"] == [quote["symbol"] for quote in batch["quotes"]]
