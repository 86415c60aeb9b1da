"""The hub as it is assembled in production, on a real server and a real Redis, and a market that feeds it."""

import asyncio
import contextlib
import functools
import gc
import inspect
import json
import logging
import socket
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgpack
import pytest
import uvicorn
import uvloop
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bse_local_stack.ports import free_ports
from bse_local_stack.redis_server import running_server
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge.connection import RedisSettings
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.health import Health
from bse_shared.service.loops import LoopMetrics, run_loop
from bse_shared.service.probes import probe_routes
from bse_shared.service.runner import BACKLOG, Shell
from bse_shared.service.settings import MarketSettings, ProcessSettings
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.builders import RELIANCE, TCS, a_master, a_quote, seen
from bse_shared.testing.signing import Signing
from bse_shared.wire.records import FeedStatus, SessionRecord
from bse_ws_hub.assembly import assemble
from bse_ws_hub.settings import AuthSettings, HubHttp, HubSettings, WsHubSettings
from bse_ws_hub.sockets.direct_protocol import DirectProtocol


WITHIN_S = 5.0
TEST_WITHIN_S = 30.0


def pytest_asyncio_loop_factories():
    """The loop of production: its transports differ from asyncio's in what they buffer."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items):
    """Bound each test here: uvloop does not let the signal through by which pytest-timeout ends one."""
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        if not inspect.iscoroutinefunction(item.obj):
            continue
        marker = item.get_closest_marker("timeout")
        within_s = marker.args[0] if marker else TEST_WITHIN_S
        item.obj = _bounded(item.obj, within_s)
        # What still hangs then, in a fixture, ends the whole run; its stack is printed.
        last_resort = pytest.mark.timeout(3 * within_s, method="thread")
        item.add_marker(last_resort, append=False)


def _bounded(test, within_s):
    @functools.wraps(test)
    async def bounded(*args, **kwargs):
        async with asyncio.timeout(within_s):
            await test(*args, **kwargs)

    return bounded


class Market:
    """The fetcher's side: one shard, written to the store as a fetcher does."""

    def __init__(self, redis):
        self.store = MarketStore(redis, SystemClock(), shards=1)
        self.writer = None
        self._lease = None

    async def open(self, master=None):
        """A master, a term, and RELIANCE and TCS quoted."""
        self.master = master or a_master()
        await self.store.save_instruments(self.master)
        await self.new_term()
        await self.report({RELIANCE.code: a_quote(), TCS.code: a_quote(305_000)})
        await self.beat()

    async def new_term(self):
        """A fetcher takes the lease, and starts on what the store holds."""
        self._lease = await self.store.take_lease(0, "fetcher-1", 60_000, 0)
        self.writer = ShardWriter(await self.store.snapshot(0))

    async def report(self, quotes):
        """The source lists these quotes."""
        plan = self.writer.plan_list(
            {code: seen(quote) for code, quote in quotes.items()}, self.store.now_ms()
        )
        assert [None] == await self.store.commit([(self._lease, plan)], self.master)
        self.writer.committed(plan)

    async def beat(self, **session):
        """The fetcher's word on the feed."""
        described = {"phase": "open", "is_open": True, "reason": "normal trading"}
        await self.store.beat(
            FeedStatus(
                at_ms=self.store.now_ms(),
                writer="fetcher-1",
                source="bse",
                state="ok",
                session=SessionRecord(**{**described, **session}),
                shards=1,
                poll_interval_s=3,
            )
        )


class Server(uvicorn.Server):
    """uvicorn that says when it listens, and leaves the signals alone."""

    def __init__(self, config):
        super().__init__(config)
        self.listens = asyncio.Event()
        self.stop = asyncio.Event()

    async def startup(self, sockets=None):
        """See uvicorn."""
        await super().startup(sockets)
        self.listens.set()

    async def main_loop(self):
        """Without uvicorn's tick of 100 ms, which would be the longest part of most tests."""
        await self.on_tick(0)
        await self.stop.wait()

    @contextlib.contextmanager
    def capture_signals(self):
        """The runner of the tests owns the signals."""
        yield


@asynccontextmanager
async def listening(app, **options):
    """The application on a free port; gives (server, port)."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    config = {"log_config": None, "access_log": False, "lifespan": "off", **options}
    server = Server(uvicorn.Config(app, timeout_graceful_shutdown=1, **config))
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve([listener]))
        await server.listens.wait()
        try:
            yield server, listener.getsockname()[1]
        finally:
            server.stop.set()
            await serving


class ServedHub:
    """A running hub and what a test may ask of it from outside and inside."""

    def __init__(self, port, service, server, health):
        self.port = port
        self.service = service
        self.server = server
        self.health = health
        self.door = service.drain.__self__.door
        self.catch_up = service.drain.__self__.catch_up
        self.clients = self.door._clients
        self.engine = self.door.server.eio

    @property
    def url(self):
        """Of the HTTP side."""
        return f"http://127.0.0.1:{self.port}"

    def left_over(self):
        """What must be gone when all clients are gone."""
        return {
            "clients": len(self.clients.all),
            "sessions": len(self.clients.hub.sessions),
            "groups": len(self.clients.hub.groups),
            "watched": len(self.clients.hub.groups.watchers),
            "client ids": len(self.clients.by_client_id),
            "followed": len(self.clients.expiry._expired),
            "admissions": len(self.clients.doorkeeper._streams),
            "counted": self.clients.doorkeeper.desk.owners,
            "engine": len(self.engine.sockets),
            "socketio": len(self.door._by_session) + len(self.door._ways.sockets),
            "environ": len(self.door.server.environ),
            "binary": len(self.door.server._binary_packet),
            "transports": sum(
                isinstance(connection, DirectProtocol)
                for connection in self.server.server_state.connections
            ),
            "requests": len(self.server.server_state.tasks),
        }


@asynccontextmanager
async def serving_hub(redis_url, auth=None, name="hub-1", shards=1, **hub):
    """The whole service in this loop, but for signals and the process around it. `auth`: its AUTH_ settings."""
    clock = SystemClock()
    settings = WsHubSettings(
        redis=RedisSettings(url=redis_url),
        http=HubHttp(port=0),
        process=ProcessSettings(),
        market=MarketSettings(shards=shards),
        hub=HubSettings(**{"arrivals_per_s": 10_000, **hub}),
        auth=AuthSettings(**auth or {}),
    )
    registry = CollectorRegistry()
    shell = Shell("ws-hub", name, "", "0", clock, registry, Health(clock))
    async with (
        _probed(settings, shell) as service,
        listening(service.asgi, **service.server_options) as (server, port),
        asyncio.TaskGroup() as group,
    ):
        metrics = LoopMetrics(registry)
        loops = [
            group.create_task(run_loop(loop, shell.health, metrics))
            for loop in service.loops
        ]
        try:
            yield ServedHub(port, service, server, shell.health)
        finally:
            for loop in loops:
                loop.cancel()


@asynccontextmanager
async def _probed(settings, shell):
    """The service with its probes, as the runner puts them together."""
    async with assemble(settings, shell) as service:
        probes = probe_routes(shell.health, shell.registry, {}, service.detail)
        service.app.include_router(probes)
        yield service


async def until(condition, within_s=WITHIN_S):
    """Look until the condition holds; its value. Bounded."""
    async with asyncio.timeout(within_s):
        while not (found := condition()):  # noqa: ASYNC110 - any condition, not one event
            await asyncio.sleep(0.005)
    return found


class RawClient:
    """A WebSocket client that decodes, and can wait for a type of message."""

    def __init__(self, socket):
        self.socket = socket
        self.taken = []

    async def send(self, **message):
        """A command, in the encoding of the subprotocol."""
        if self.socket.protocol == "bse.v1.msgpack":
            await self.socket.send_bytes(msgpack.packb(message))
        else:
            await self.socket.send_str(json.dumps(message))

    async def next(self):
        """The next message, or the close."""
        found = await self.socket.receive(WITHIN_S)
        if found.type == aiohttp.WSMsgType.TEXT:
            return json.loads(found.data)
        if found.type == aiohttp.WSMsgType.BINARY:
            return msgpack.unpackb(found.data, strict_map_key=False)
        return found

    async def until(self, kind, where=lambda _: True):
        """The next message of a type (a name, or the number of an array); others are kept in `taken`."""
        while True:
            message = await self.next()
            assert not isinstance(message, aiohttp.WSMessage), message
            own = message["type"] if isinstance(message, dict) else message[0]
            if own == kind and where(message):
                return message
            self.taken.append(message)

    async def closed(self):
        """Read to the end; the close code."""
        while not isinstance(await self.next(), aiohttp.WSMessage):
            pass
        return self.socket.close_code


@pytest.fixture
async def market(redis):
    """A market with two quotes, in the store."""
    found = Market(redis)
    await found.open()
    return found


@pytest.fixture(scope="session")
def signing():
    """The gateway's key."""
    return Signing(SystemClock())


@pytest.fixture
async def hubs():
    """The hubs of a test; they stop with it."""
    async with contextlib.AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def start_hub(market, redis_server, hubs):
    """Starts a hub with these settings, that has read the market."""

    async def start(auth=None, **hub):
        serving = serving_hub(redis_server, auth, **hub)
        served = await hubs.enter_async_context(serving)
        follower = served.clients.follower
        await asyncio.wait_for(follower.readied.wait(), WITHIN_S)
        await until(lambda: follower.connected)
        await market.beat()
        return served

    return start


@pytest.fixture
async def hub(start_hub):
    """A hub that has read the market."""
    return await start_hub()


@pytest.fixture
async def hub_without_market(redis, redis_server, hubs):
    """A hub on an empty store."""
    assert 0 == await redis.dbsize()
    return await hubs.enter_async_context(serving_hub(redis_server))


@pytest.fixture
async def http():
    """An HTTP client, whose WebSockets are cut at the end of the test."""
    opened = []

    class Kept(aiohttp.ClientWebSocketResponse):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            opened.append(self)

    async with aiohttp.ClientSession(ws_response_class=Kept) as session:
        yield session
        for websocket in opened:
            websocket._response.close()


@pytest.fixture
async def connect(http):
    """Opens a raw WebSocket to a hub, as far as welcome and heartbeat."""

    async def open_one(hub, *, greet=True, query="", **options):
        options = {"protocols": ("bse.v1.json",), **options}
        socket = await http.ws_connect(f"{hub.url}/ws{query}", **options)
        client = RawClient(socket)
        if greet:
            client.welcome = await client.next()
            client.heartbeat = await client.next()
        return client

    return open_one


@pytest.fixture
async def scrape(http):
    """Reads a hub's `/metrics`: the figures without labels, by name."""

    async def read(hub):
        async with http.get(f"{hub.url}/metrics") as answer:
            text = await answer.text()
        families = text_string_to_metric_families(text)
        samples = (sample for family in families for sample in family.samples)
        return {sample.name: sample.value for sample in samples if not sample.labels}

    return read


@pytest.fixture(scope="session", name="until")
def until_fixture():
    """Bounded wait for a condition."""
    return until


@pytest.fixture(scope="session", name="serving_hub")
def serving_hub_fixture():
    """Serve a hub on any store."""
    return serving_hub


@pytest.fixture(scope="session", name="listening")
def listening_fixture():
    """Serve an ASGI application."""
    return listening


class LogLines(logging.Handler):
    """What would be written to the log: structlog's lines from info on, and warnings of libraries."""

    def __init__(self, events):
        super().__init__(logging.WARNING)
        self.records = []
        self._events = events

    def emit(self, record):
        """Keep it."""
        self.records.append(record)

    def all(self):
        """The lines, once what was forgotten has been told."""
        gc.collect(1)
        found = [r.getMessage() for r in self.records]
        return found + [str(event) for event in self._events]

    def tracebacks(self):
        """The lines with an exception in them."""
        gc.collect(1)
        return [
            r.getMessage() for r in self.records if r.exc_info or "raceback" in r.msg
        ]

    def clear(self):
        """Begin anew."""
        self.records.clear()
        self._events.clear()


@contextlib.contextmanager
def collecting_logs():
    """Collect all lines of this process."""
    with capture_logs() as events:
        handler = LogLines(events)
        logging.getLogger().addHandler(handler)
        try:
            yield handler
        finally:
            logging.getLogger().removeHandler(handler)


@pytest.fixture
def log_lines():
    """The log of this test."""
    with collecting_logs() as lines:
        yield lines


@pytest.fixture(scope="module")
def hub_in_thread():
    """A hub in a thread of its own, for tests that attack it with blocking sockets; with its log."""
    with running_server(free_ports(1)[0]) as redis_url, collecting_logs() as lines:
        started, stop = threading.Event(), threading.Event()
        holder = {}

        async def run():
            redis = Redis.from_url(redis_url)
            market = Market(redis)
            await market.open()
            limits = {"bad_messages_max": 5, "commands_per_s": 20}
            async with serving_hub(redis_url, {"mode": "off"}, **limits) as hub:
                await hub.clients.follower.readied.wait()
                hub.loop = asyncio.get_running_loop()
                hub.lines = lines
                holder["hub"] = hub
                started.set()
                while not stop.is_set():
                    await market.beat()
                    await asyncio.sleep(0.2)
            await redis.aclose()

        def main():
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(run())

        thread = threading.Thread(target=main, daemon=True)
        thread.start()
        assert started.wait(WITHIN_S)
        yield holder["hub"]
        stop.set()
        thread.join(WITHIN_S)
        assert not thread.is_alive()
        gc.collect()
        assert [] == lines.tracebacks()
