"""What the monitor's tests look at: heartbeats, feed reports, and real little HTTP servers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bse_monitor.rules.observation import (
    Answer,
    FeedSeen,
    InstanceSeen,
    Observation,
    Probe,
    ShardSeen,
    StoreSeen,
)
from bse_shared.quotes.position import Position
from bse_shared.wire.records import FeedStatus, Heartbeat, SessionRecord


NOW_MS = 1_795_334_400_000
OPEN = SessionRecord(phase="open", is_open=True, reason="continuous session")


@pytest.fixture(scope="session")
def a_beat():
    """Builds a heartbeat."""

    def build(service="gateway", instance="g-1", *, age_ms=500, **fields):
        given = {
            "url": "http://127.0.0.1:1",
            "version": "0.1.0",
            "at_ms": NOW_MS - age_ms,
            "started_at_ms": NOW_MS - 60_000,
            "ready": True,
        }
        return Heartbeat(service=service, instance=instance, **{**given, **fields})

    return build


@pytest.fixture(scope="session")
def an_instance(a_beat):
    """Builds what is seen of an instance."""

    def build(*args, answer=Answer.READY, why=(), **fields):
        probe = Probe(answer, why) if answer else None
        return InstanceSeen(a_beat(*args, **fields), probe)

    return build


@pytest.fixture(scope="session")
def a_report():
    """Builds the fetcher's word on the feed."""

    def build(*, silent_ms=500, **fields):
        given = {
            "at_ms": NOW_MS - silent_ms,
            "writer": "fetcher-1",
            "source": "bse",
            "state": "ok",
            "session": OPEN,
            "shards": 2,
            "poll_interval_s": 3,
        }
        return FeedStatus(**{**given, **fields})

    return build


@pytest.fixture(scope="session")
def a_feed(a_report):
    """Builds what is seen of a feed of shards with these confirmation ages (None: never)."""

    def build(*ages_ms, **fields):
        ages_ms = ages_ms or (1200, 1200)
        shards = tuple(
            ShardSeen(n, Position(7, 3), 0 if age is None else NOW_MS - age)
            for n, age in enumerate(ages_ms)
        )
        return FeedSeen(a_report(**{"shards": len(ages_ms), **fields}), shards)

    return build


@pytest.fixture(scope="session")
def an_observation(an_instance, a_feed):
    """Builds a look at a platform in which all is well."""

    def build(**fields):
        given = {
            "now_ms": NOW_MS,
            "store": StoreSeen(True, 1.5),
            "feed": a_feed(),
            "heartbeats_at_ms": NOW_MS,
            "instances": tuple(
                an_instance(name, f"{name}-1")
                for name in ("fetcher", "gateway", "ws-hub", "monitor")
            ),
        }
        return Observation(**{**given, **fields})

    return build


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def ready(_request):
    """A /readyz of an instance that is well."""
    return web.json_response({"ready": True, "reasons": []})


async def figures(_request):
    """A /metrics of any of our processes."""
    return web.Response(text="process_resident_memory_bytes 5.1e+07\n")


@pytest.fixture
async def released():
    """Handlers that hang wait for this; it is set when the test is over."""
    return asyncio.Event()


@pytest.fixture
async def serve(released):
    """Starts instances that answer their probes as told; gives their addresses."""
    servers = []

    async def start(readyz: Handler = ready, metrics: Handler = figures) -> str:
        app = web.Application()
        app.router.add_get("/readyz", readyz)
        app.router.add_get("/metrics", metrics)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/")).rstrip("/")

    yield start
    released.set()
    for server in servers:
        await server.close()
