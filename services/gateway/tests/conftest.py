"""A market in memory, as a follower would hold it, and clients of the application on it."""

import asyncio
import re
import socket
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from prometheus_client import CollectorRegistry

from bse_gateway.calendar_follower import CalendarFollower
from bse_gateway.identity.act_log import Actor
from bse_gateway.identity.key_desk import KeyWish
from bse_gateway.identity.parts import Identity, put_together
from bse_gateway.lookup import Lookup
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.minutes_under_way import MinutesUnderWay
from bse_gateway.on_demand import OnDemand
from bse_gateway.rest.app import create_app
from bse_gateway.rest.envelope import RequestIds
from bse_gateway.rest.lean_door import LeanDoor
from bse_gateway.rest.lean_protocol import lean_protocol
from bse_gateway.rest.limited_protocol import ConnectionLimits
from bse_gateway.rest.quote_answers import QuoteAnswers
from bse_gateway.settings import AuthSettings, RestSettings
from bse_shared.quotes.frame import Confirmed, Snapshot
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.calendar_board import CalendarBoard
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.redis_edge.identity_store import IdentityStore
from bse_shared.redis_edge.instances import Instances, Subscriptions
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import MarketStore
from bse_shared.testing.builders import a_master, seen
from bse_shared.testing.fake_clock import FakeClock
from bse_shared.wire.records import FeedStatus, SessionRecord


EPOCH = 1_795_330_000_000
NOW_MS = 1_795_334_401_000


LIMITS = ConnectionLimits(connections_max=100, head_within_s=10, read_within_s=10)


class Wire:
    """One keep-alive connection, spoken to in bytes."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    def send(self, *pieces):
        """Write them at once."""
        self._writer.write(b"".join(pieces))

    async def ask(self, *requests):
        """Send the requests in one piece; the answers' heads and bodies."""
        self.send(*requests)
        return [await self.answer(each.startswith(b"HEAD")) for each in requests]

    async def answer(self, is_head=False):
        """The next answer's head and body."""
        async with asyncio.timeout(10):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            size = int(length[1]) if length and not is_head else 0
            return head, await self._reader.readexactly(size)

    async def rest(self):
        """All that comes until the server ends the connection."""
        async with asyncio.timeout(10):
            try:
                return await self._reader.read()
            except ConnectionResetError:
                return b""


class MarketInMemory:
    """What the gateway reads of a follower; the writer's own frames fill the table."""

    def __init__(self):
        empty = Snapshot(0, Position(EPOCH, 0), Confirmed(), {})
        self.table = QuoteTable(1)
        self.table.load(empty)
        self.instruments = a_master()
        self.ready = True
        self.connected = True
        self.at_ms = NOW_MS
        self.feed = None
        self.hear()
        self.on_changes = lambda _: None
        self._writer = ShardWriter(empty)

    def now_ms(self):
        """The hand-set time of the store."""
        return self.at_ms

    def report(self, quotes):
        """The source lists these quotes now, by scrip code."""
        reported = {code: seen(quote) for code, quote in quotes.items()}
        plan = self._writer.plan_list(reported, self.at_ms)
        self._writer.committed(plan)
        self.on_changes(self.table.receive(plan.frame))

    def hear(self, **session):
        """The fetcher beats now."""
        described = {
            "phase": "open",
            "is_open": True,
            "reason": "normal trading",
            "trading_day": "2026-11-20",
            **session,
        }
        self.feed = FeedStatus(
            at_ms=self.at_ms,
            writer="fetcher-1",
            source="bse",
            state="ok",
            session=SessionRecord(**described),
            shards=1,
            poll_interval_s=3,
            last_answer_at_ms=self.at_ms - 400,
        )


class Door(NamedTuple):
    """The application with its identity parts and the clock that they read."""

    app: object
    lean: LeanDoor
    identity: Identity
    clock: FakeClock
    calendar: CalendarFollower

    async def key(self, role="trader", **wish):
        """A new API key, made as the command makes it."""
        wanted = KeyWish("test", role, **wish)
        key, _ = await self.identity.keys.create(wanted, Actor("test"))
        return key.text


def door_on(redis, market, registry, rest=None, clock=None, **auth):
    """The application on a store."""
    clock = clock or FakeClock()
    metrics = GatewayMetrics(registry)
    settings = AuthSettings(**auth)
    identity = put_together(
        AccessStore(redis),
        IdentityStore(redis, settings.pepper_bytes),
        settings,
        clock,
        metrics,
        "test",
    )
    lookup = Lookup(market)
    answers, ids = QuoteAnswers(lookup), RequestIds()
    rest = rest or RestSettings(on_demand_within_s=0.05)
    on_demand = OnDemand(
        DemandBoard(redis),
        MarketStore(redis, clock, 1),
        clock,
        metrics,
        rest.on_demand_within_s,
    )
    under_way = MinutesUnderWay(market.table)
    calendar = CalendarFollower(CalendarBoard(redis), clock)

    def changed(changes):
        on_demand.take(changes)
        under_way.take(changes)

    market.on_changes = changed
    app = create_app(
        market=market,
        lookup=lookup,
        answers=answers,
        on_demand=on_demand,
        controls=FetcherControls(redis),
        hub_controls=HubControls(redis),
        instances=Instances(redis),
        history=MarketHistory(redis, clock, 1),
        under_way=under_way,
        calendar=calendar,
        ids=ids,
        subscriptions=Subscriptions(redis),
        identity=identity,
        settings=rest,
        metrics=metrics,
        clock=clock,
        version="0",
    )
    lean = LeanDoor(
        answers, on_demand, identity.guard, metrics, clock, ids, rest.symbols_max
    )
    return Door(app, lean, identity, clock, calendar)


@pytest.fixture
async def make_door(redis, market):
    """Makes the application on a real store, its signing key published."""

    async def make(clock=None, rest=None, **auth):
        door = door_on(redis, market, CollectorRegistry(), rest, clock, **auth)
        await door.identity.publish()
        return door

    return make


@pytest.fixture
def market():
    """An open market of three known scrips without quotes."""
    return MarketInMemory()


@pytest.fixture
def registry():
    """Where the application's metrics go."""
    return CollectorRegistry()


@pytest.fixture
async def door_without_store(market, registry):
    """Makes the application on the market with its parts, with a store that is away unless one is given."""
    away = RedisSettings(url="redis://127.0.0.1:1/0")
    async with open_redis(away, "test") as nowhere:

        def make(redis=nowhere, **settings):
            return door_on(
                redis,
                market,
                registry,
                RestSettings(**{"on_demand_within_s": 0.05} | settings),
            )

        yield make


@pytest.fixture
def make_app(door_without_store):
    """Makes the application alone."""

    def make(*redis, **settings):
        return door_without_store(*redis, **settings).app

    return make


@pytest.fixture
def client_of():
    """Makes a client of an application."""

    def client(app):
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway")

    return client


@asynccontextmanager
async def _serving(door, limits=LIMITS, registry=None):
    """The application under the real server, with the lean door before it; its port."""
    # With the protocol named, asyncio turns Nagle's algorithm off as uvloop always does.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(
        door.app,
        http=lean_protocol(
            door.lean,
            limits or LIMITS,
            GatewayMetrics(registry or CollectorRegistry()),
            RequestIds(),
        ),
        log_config=None,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=1,  # a failed test may leave a request half-way
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


@pytest.fixture
async def wire_to():
    """Opens connections to a port, and closes them."""
    writers = []

    async def connect(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return Wire(reader, writer)

    yield connect
    for writer in writers:
        writer.close()


@pytest.fixture
def serving():
    """Runs the application of a door under the real server."""
    return _serving


@pytest.fixture
async def client(make_app, client_of):
    """A client of the application."""
    async with client_of(make_app()) as opened:
        yield opened


@pytest.fixture
def signing_key_file(tmp_path):
    """A private key as an operator makes one."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    path = tmp_path / "signing.pem"
    path.write_bytes(pem)
    return str(path)
