"""The gateway as it is put together in production, on a store that comes and goes, its loops stepped by hand."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from bse_gateway.assembly import assemble
from bse_gateway.settings import GatewaySettings, RestSettings
from bse_local_stack.ports import free_ports
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.health import Health
from bse_shared.service.runner import Shell
from bse_shared.service.settings import HttpSettings, MarketSettings, ProcessSettings
from bse_shared.testing.builders import RELIANCE, a_master, a_quote, seen
from bse_shared.testing.fake_clock import FakeClock


@pytest.fixture
def clock():
    """The gateway's clock."""
    return FakeClock()


@pytest.fixture
def port():
    """Where the store is, when there is one."""
    return free_ports(1)[0]


@asynccontextmanager
async def _assembled(port, clock, **rest):
    """The gateway of a market in one shard."""
    registry = CollectorRegistry()
    shell = Shell("gateway", "test", "", "0", clock, registry, Health(clock))
    settings = GatewaySettings(
        HttpSettings(),
        ProcessSettings(),
        MarketSettings(shards=1),
        RedisSettings(url=f"redis://127.0.0.1:{port}/0"),
        RestSettings(**rest),
    )
    async with assemble(settings, shell) as service:
        yield service, shell, {loop.name: loop for loop in service.loops}


@asynccontextmanager
async def _running(coroutine):
    """A task for as long as the block lasts."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(coroutine)
        yield
        task.cancel()


async def _commit(url, last_paise, clock, *codes, at_ms=1_795_334_400_000):
    """A fetcher takes the lease and writes the quotes of RELIANCE and of these scrips."""
    async with Redis.from_url(url) as redis:
        store = MarketStore(redis, clock, shards=1)
        lease = await store.take_lease(0, "fetcher-1", 60_000, 0)
        writer = ShardWriter(await store.snapshot(0))
        quote = seen(a_quote(last_paise, exchange_time_ms=at_ms))
        quotes = dict.fromkeys([RELIANCE.code, *codes], quote)
        plan = writer.plan_list(quotes, store.now_ms())
        await store.save_instruments(a_master())
        assert [None] == await store.commit([(lease, plan)], a_master())


@pytest.fixture
def assembled():
    """Puts the gateway together: `async with assembled(port, clock) as (service, shell, loops)`."""
    return _assembled


@pytest.fixture
def running():
    """Runs a coroutine while a block lasts."""
    return _running


@pytest.fixture
def commit():
    """Writes quotes as a fetcher does."""
    return _commit
