"""Fixtures for the tests of all packages: a real Redis-compatible server."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

from bse_local_stack.ports import free_ports
from bse_local_stack.redis_server import running_server


# A busy machine is no defect of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of a server that runs for the whole session."""
    with running_server(free_ports(1)[0]) as url:
        yield url


@pytest.fixture
async def redis(redis_server: str) -> AsyncIterator[Redis]:
    """A client of an empty server."""
    client = Redis.from_url(redis_server, socket_timeout=5)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(scope="session", autouse=True)
def no_stray_loop() -> Iterator[None]:
    """Tell asyncio once that no loop is set.

    Otherwise looptime's hook makes one for the first synchronous test, which nobody closes, and its
    ResourceWarning fails some later test.
    """
    asyncio.set_event_loop(None)
    yield
    asyncio.set_event_loop(None)
