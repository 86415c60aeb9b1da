"""The whole monitor on a real server, its loops stepped by hand."""

import httpx
import pytest
from prometheus_client import CollectorRegistry

from bse_local_stack.ports import free_ports
from bse_local_stack.redis_server import running_server
from bse_monitor.assembly import assemble
from bse_monitor.settings import MonitorHttp, MonitorSettings, ObserveSettings
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable
from bse_shared.redis_edge.instances import Instances
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.health import Health
from bse_shared.service.runner import Shell
from bse_shared.service.settings import MarketSettings, ProcessSettings
from bse_shared.service.system_clock import SystemClock


def settings(url, expected="gateway,monitor"):
    """Settings for a store at that address."""
    return MonitorSettings(
        RedisSettings(url=url),
        MonitorHttp(),
        ProcessSettings(),
        MarketSettings(shards=2),
        ObserveSettings(expected_services=expected),
    )


@pytest.fixture
async def shell(serve):
    """What the runner would give; the monitor's own address answers its probes."""
    clock = SystemClock()
    return Shell(
        service="monitor",
        instance="m-1",
        url=await serve(),
        version="0.1.0",
        clock=clock,
        registry=CollectorRegistry(),
        health=Health(clock),
    )


async def ask(service, path="/status"):
    """What a door of the monitor answers."""
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://m") as client:
        return await client.get(path)


async def overall(service):
    """The overall status and its reasons."""
    tree = (await ask(service)).json()
    return tree["status"], tree["reasons"]


def steps(service):
    """The loops' steps by name."""
    return {loop.name: loop.step for loop in service.loops}


async def test_heartbeats_come_and_go(redis, redis_server, shell, serve, a_beat):
    """An instance that beats is up, one that fell silent is missing, one that left is forgotten."""
    instances = Instances(redis)
    store = MarketStore(redis, SystemClock(), shards=2)
    await store.heads()
    async with assemble(settings(redis_server), shell) as service:
        step = steps(service)
        await step["observe"]()
        await step["heartbeat"]()
        await step["observe"]()
        alone = (await ask(service)).json()

        url = await serve()
        await instances.beat(a_beat("gateway", "g-1", url=url, at_ms=store.now_ms()))
        await step["observe"]()
        both = (await ask(service)).json()

        long_ago = store.now_ms() - 9000
        await instances.beat(a_beat("gateway", "g-1", url=url, at_ms=long_ago))
        await step["observe"]()
        silent = (await ask(service)).json()

        await instances.leave("gateway", "g-1")
        await step["observe"]()
        gone = (await ask(service)).json()

    assert ["gateway down: no instance has sent a heartbeat"] == alone["reasons"][:1]
    assert "up" == alone["services"][1]["status"]
    assert ("degraded", "up") == (both["status"], both["services"][0]["status"])
    assert ["feed unknown: no fetcher has reported on the feed yet"] == both["reasons"]
    assert "gateway down: g-1 is missing: no heartbeat for 9" in silent["reasons"][0]
    assert [] == gone["services"][0]["instances"]
    assert ("gateway", "up", "down") == tuple(
        gone["events"][0][member] for member in ("part", "was", "now")
    )


async def test_the_monitor_takes_its_leave(redis, redis_server, shell):
    """A monitor that was stopped in order is not missed."""
    async with assemble(settings(redis_server), shell) as service:
        await steps(service)["observe"]()
        await steps(service)["heartbeat"]()
        during = await redis.hlen("bse:instances")

    assert (1, 0) == (during, await redis.hlen("bse:instances"))


async def test_redis_may_come_later(shell):
    """The monitor starts without it, says so, and recovers by itself."""
    (port,) = free_ports(1)
    url = f"redis://127.0.0.1:{port}/0"
    async with assemble(settings(url, "monitor"), shell) as service:
        step = steps(service)
        early = service.not_ready()
        await step["observe"]()
        waiting = service.not_ready()
        status, reasons = await overall(service)
        strict = await ask(service, "/status?strict=1")
        with running_server(port):
            await step["observe"]()
            await step["heartbeat"]()
            await step["observe"]()
            ready = service.not_ready()
            recovered, _ = await overall(service)
        with pytest.raises(StoreUnavailable):
            await step["heartbeat"]()

    assert ["no look has been done yet"] == early
    assert waiting[0].startswith("store: ConnectionError")
    assert ("down", 503) == (status, strict.status_code)
    assert reasons[0].startswith("store down: ConnectionError")
    assert ([], "degraded") == (ready, recovered)  # no fetcher has reported yet
