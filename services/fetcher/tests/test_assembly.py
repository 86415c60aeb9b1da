"""The fetcher as it is put together, its loops stepped by hand."""

import asyncio

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from bse_fetcher.assembly import assemble
from bse_fetcher.settings import (
    DemandSettings,
    FetcherHttp,
    FetcherSettings,
    PollSettings,
    ReplaySettings,
    SourceSettings,
)
from bse_fetcher.source_settings import BseSettings, KiteSettings, YahooSettings
from bse_fetcher.sources.replay.source import ReplaySource
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.calendar_board import CalendarBoard
from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.redis_edge.instances import Instances
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.health import Health
from bse_shared.service.loops import LoopMetrics, run_loop
from bse_shared.service.runner import Shell
from bse_shared.service.settings import MarketSettings, ProcessSettings
from bse_shared.service.system_clock import SystemClock
from bse_shared.sessions.calendar import builtin_calendar_file
from bse_shared.testing.fake_clock import FakeClock
from bse_shared.wire.records import FetcherStatus


@pytest.fixture
def assembled(redis_server):
    """Assemble a fetcher that asks this address."""

    def make(
        base_url,
        instance="fetcher-1",
        redis_url=redis_server,
        health=None,
        details_per_s=0,
        record_to="",
        **source,
    ):
        clock = SystemClock()
        shell = Shell(
            service="fetcher",
            instance=instance,
            url="http://127.0.0.1:8003",
            version="0.1.0",
            clock=clock,
            registry=CollectorRegistry(),
            health=health or Health(clock),
        )
        settings = FetcherSettings(
            RedisSettings(url=redis_url),
            FetcherHttp(),
            ProcessSettings(),
            MarketSettings(shards=4),
            BseSettings(base_url=base_url, details_per_s=details_per_s),
            YahooSettings(),
            KiteSettings(),
            SourceSettings(**source),
            ReplaySettings(record_to=record_to),
            DemandSettings(),
            PollSettings(session="always_open", lease_ttl_s=60),
        )
        return assemble(settings, shell)

    return make


ENDLESS = {
    "poll batches",
    "poll the backup",
    "read details",
    "serve readers that miss",
}


async def step_all(service):
    """Each loop once, in their order."""
    for loop in service.loops:
        if loop.name not in ENDLESS:
            await loop.step()


async def test_the_loops_bring_the_market_into_the_store(assembled, exchange, redis):
    """Lease, poll, master, beat and heartbeat; at the end the leases and the heartbeat are gone."""
    store = MarketStore(redis, SystemClock(), 4)
    async with exchange.serving(), assembled(exchange.url) as service:
        assert ["the store was not reached yet"] == service.not_ready()
        await step_all(service)

        assert [] == service.not_ready()
        assert {
            "active": True,
            "source": "bse",
            "state": "ok",
            "rows": 40,
            "rejected_rows": 0,
            "last_error": None,
            "session": "open",
            "calendar_ends_in_days": None,
            "suspect": 0,
            "order": "",
            "shards": 4,
            "bse market": "closed",
            "bse master": "closed",
            "bse header": "closed",
            "bse indices": "closed",
        } == service.detail()
        heads = await store.heads()
        assert ("fetcher-1", "ok", 40) == (
            heads.feed.writer,
            heads.feed.state,
            heads.feed.rows,
        )
        assert 40 == len(await store.instruments())
        assert builtin_calendar_file() == await CalendarBoard(redis).read()
        (heartbeat,) = await Instances(redis).all(store.now_ms())
        assert ("active", True) == (heartbeat.role, heartbeat.ready)

    assert 0 == await redis.exists(*(keys.lease(shard) for shard in range(4)))
    assert [] == await Instances(redis).all(store.now_ms())


async def test_a_standby_is_ready_and_silent(assembled, exchange, redis):
    """It tells that it stands by, and leaves the beat to the active one."""
    store = MarketStore(redis, SystemClock(), 4)
    async with (
        exchange.serving(),
        assembled(exchange.url, "fetcher-1") as active,
        assembled(exchange.url, "fetcher-2") as standby,
    ):
        await step_all(active)
        await step_all(standby)

        assert [] == standby.not_ready()
        assert not standby.detail()["active"]
        assert "fetcher-1" == (await store.heads()).feed.writer
        roles = [each.role for each in await Instances(redis).all(store.now_ms())]
        assert ["active", "standby"] == roles


async def test_its_status_page_tells_it_all(assembled, exchange):
    """Over HTTP, as JSON that operators can read."""
    async with exchange.serving(), assembled(exchange.url) as service:
        await step_all(service)
        transport = httpx.ASGITransport(app=service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
            answer = await http.get("/status")

    told = msgspec.json.decode(answer.content, type=FetcherStatus)
    assert ("fetcher-1", "active", [0, 1, 2, 3]) == (
        told.instance,
        told.role,
        told.shards,
    )
    assert {"market", "master", "header", "indices"} == {
        each.endpoint for each in told.feed.sources
    }
    assert {"hot": 0, "warm": 0, "cold": 40} == told.feed.demand


class Silence(Health):
    """Knows which loops told of themselves."""

    def __init__(self):
        super().__init__(FakeClock())
        self.told = asyncio.Queue()

    def progressed(self, name):
        """The loop told."""
        super().progressed(name)
        self.told.put_nowait(name)


@pytest.mark.parametrize(
    ("source", "endless"),
    [
        (
            {"primary": "bse", "backup": "yahoo", "details_per_s": 1},
            {"poll the backup", "read details", "serve readers that miss"},
        ),
        ({"primary": "kite"}, {"poll batches", "serve readers that miss"}),
    ],
)
async def test_no_loop_may_be_silent_for_ever(assembled, exchange, source, endless):
    """A step that never ends tells by itself that it gets on; one that does not is seen by the liveness probe."""
    health = Silence()
    async with (
        exchange.serving(),
        assembled(exchange.url, health=health, **source) as service,
    ):
        assert [] == [loop.name for loop in service.loops if not loop.silence_max_s]
        loops = [loop for loop in service.loops if loop.name in ENDLESS]
        assert endless == {loop.name for loop in loops}
        metrics = LoopMetrics(CollectorRegistry())
        tasks = [
            asyncio.ensure_future(run_loop(loop, health, metrics)) for loop in loops
        ]
        missing = set(endless)
        async with asyncio.timeout(5):
            while missing:
                missing.discard(await health.told.get())
        health.clock.advance(30_001)
        before = {line.split(":")[0] for line in health.stuck()}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

        assert endless == before


async def test_it_ends_in_order_without_a_store(assembled):
    """A store that is away does not hold up the shutdown."""
    async with asyncio.timeout(5):
        nowhere = assembled("http://127.0.0.1:1", redis_url="redis://127.0.0.1:1/0")
        async with nowhere as service:
            assert ["the store was not reached yet"] == service.not_ready()


@pytest.mark.usefixtures("redis")
async def test_what_was_published_last_is_recorded(assembled, exchange, tmp_path):
    """The recorder writes every few seconds, and once more at the end."""
    async with (
        exchange.serving(),
        assembled(exchange.url, record_to=str(tmp_path)) as service,
    ):
        for loop in service.loops:
            if loop.name in {"hold leases", "obey", "poll the exchange"}:
                await loop.step()
        assert [] == list(tmp_path.iterdir())

    (path,) = tmp_path.iterdir()
    source = ReplaySource(str(path), 3, 1)
    await source.ask_market()
    assert 40 == len(source.read().seen)
