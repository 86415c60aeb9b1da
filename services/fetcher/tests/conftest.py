"""A stand-in exchange on a clock of its own, fetchers that are driven by hand, and a wire that can be held."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from bse_exchange_sim.app import create_app, create_simulator
from bse_exchange_sim.load import load_universe
from bse_exchange_sim.market_clock import IST
from bse_exchange_sim.server import Server, listen
from bse_exchange_sim.settings import Settings
from bse_fetcher.core import Core
from bse_fetcher.feed import Feed
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.loops.poll import Poller
from bse_fetcher.loops.poll_batches import BatchPoller
from bse_fetcher.loops.refresh_master import MasterRefresher
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.circuit import Circuit, CircuitRules
from bse_fetcher.polling.demand import Demand, Tier
from bse_fetcher.polling.frozen import FrozenFeed
from bse_fetcher.polling.pace import Pace
from bse_fetcher.polling.schedule import Schedule
from bse_fetcher.publisher import Publisher
from bse_fetcher.scrutiny import Scrutiny
from bse_fetcher.source_settings import BseSettings
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.guard import Guards
from bse_fetcher.terms import Terms
from bse_fetcher.together import together
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.redis_edge.source_budgets import Budget, SourceBudgets
from bse_shared.redis_edge.store import MarketStore
from bse_shared.sessions.session import always_open
from bse_shared.testing.fake_clock import FakeClock


SHARDS = 4
SCRIPS = 40
LEASE_TTL_S = 60.0
PACE = Pace(3, 60)
BUDGETS = {name: Budget(1000, 1000) for name in ("bse", "yahoo", "kite")}
BUDGETS["kite misses"] = Budget(0.001, 2)
INTERVALS_MS = {Tier.HOT: 3000, Tier.WARM: 15_000, Tier.COLD: 300_000}


class Exchange:
    """The stand-in exchange behind a real server, its market moved by hand."""

    def __init__(self):
        self.now = datetime(2026, 9, 30, 11, 0, 0, tzinfo=IST)
        self.seconds = 0.0
        settings = Settings(scrips=SCRIPS, activity="every_tick")
        self.simulator = create_simulator(
            settings,
            load_universe(settings),
            lambda: self.now,
            lambda: self.seconds,
        )
        self.url = ""

    @asynccontextmanager
    async def serving(self):
        """Listen on a free port while the context lasts."""
        listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Its parts instead of serve(), whose ticks would cost each test a fifth of a second.
        server = Server(create_app(Settings(), self.simulator))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup([listener])
        try:
            yield self
        finally:
            server.stop()
            for each in server.servers:
                each.close()
            for connection in list(server.server_state.connections):
                connection.transport.abort()
            await asyncio.gather(*server.server_state.tasks)

    def trade(self, seconds=3):
        """Let the market move."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    async def arm(self, **fault):
        """Ask for a fault at the admin door."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post("/admin/faults", json=fault)
            assert 201 == answer.status_code, answer.text

    async def heal(self):
        """Disarm all faults."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            await client.delete("/admin/faults")

    async def struck(self):
        """Wait until a fault has struck."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            while not any(each.used for each in self.simulator.faults.armed(0)):
                await client.get("/livez")

    def prices(self):
        """The true last prices in paise by scrip code, at this tick."""
        market = self.simulator.exchange.look(self.now)
        return {
            market.scrip(i).code: market.state(i).last_paise
            for i in range(len(market.listings))
        }

    def asked(self, endpoint="GetMktData"):
        """How often an endpoint was asked."""
        return self.simulator.by_endpoint[endpoint]


class ByHand(BatchPoller):
    """A batch poller that a test steps."""

    async def ask_due(self):
        """Ask for what is due now, and wait for all answers."""
        async with together() as group:
            await self.start(group)


class Fetcher:
    """One fetcher without loops: the test holds its leases and steps its poller."""

    def __init__(self, redis, session, holder, clock=None, *, shared=False, **bse):
        self.clock = clock or FakeClock()
        self.redis = redis
        self.holder = holder
        self.registry = CollectorRegistry()
        self.metrics = FetcherMetrics(self.registry)
        self.store = MarketStore(redis, self.clock, SHARDS)
        self.terms = Terms(
            self.store, self.clock, holder, LEASE_TTL_S, self.metrics, shared=shared
        )
        self.feed = Feed("bse")
        self.instruments = KnownInstruments()
        self.publisher = Publisher(
            self.terms,
            self.instruments,
            self.metrics,
            Scrutiny(self.metrics),
        )
        self.core = Core(
            holder,
            self.clock,
            self.store,
            self.terms,
            self.instruments,
            self.publisher,
            self.metrics,
        )
        self.core.orders.known = True  # there is none
        self.session = always_open(self.clock.wall_ms())
        self.budgets = SourceBudgets(redis, self.clock, self.store.store_clock, BUDGETS)
        self.guards = Guards(
            self.budgets,
            self.clock,
            lambda: Circuit(CircuitRules(), lambda: 0.5),
            self.metrics,
            lambda: self.core.orders.paused,
        )
        self.http = session
        self.source = BseSource(session, BseSettings(**bse))
        self.poller = Poller(
            core=self.core,
            source=self.source,
            guard=self.guards.add("bse", "market", "primary"),
            feed=self.feed,
            pace=PACE,
            session=lambda: self.session,
            frozen=FrozenFeed(60_000),
        )
        self.master = MasterRefresher(
            core=self.core,
            source=self.source,
            guard=self.guards.add("bse", "master", "master"),
        )
        self.demand = Demand(1000, 900_000, 30_000)

    def batches(self, source, role="backup", **changes):
        """A batch poller on a source; `changes` replace its parts."""
        return ByHand(
            core=self.core,
            source=source,
            guard=self.guards.add(source.name, "quotes", role),
            schedule=Schedule(INTERVALS_MS, source.symbols_max),
            demand=self.demand,
            **{"is_wanted": lambda: True, **changes},
        )

    async def later(self, milliseconds):
        """Let time pass. The store's own clock can't be moved: what it counts with that is over as well."""
        self.clock.advance(milliseconds)
        await self.redis.delete(*(keys.source_budget(name) for name in BUDGETS))

    async def poll(self):
        """Hold the leases and poll as soon as it is due."""
        await self.terms.hold()
        await self.later(max(0, self.poller.due_ms - self.clock.monotonic_ms()))
        await self.poller.step()

    def count(self, name, **labels):
        """A counter's value."""
        return self.registry.get_sample_value(f"{name}_total", labels) or 0

    def polls(self, outcome):
        """How many polls ended so."""
        return self.count("fetcher_polls", outcome=outcome)

    async def held(self):
        """All images that the store holds, by scrip code."""
        shards = [await self.store.snapshot(shard) for shard in range(SHARDS)]
        return {code: image for each in shards for code, image in each.images.items()}

    async def prices(self):
        """The stored last prices in paise by scrip code."""
        return {code: i.quote.last_paise for code, i in (await self.held()).items()}

    async def unconfirmed(self):
        """The scrips that the last answer did not confirm."""
        heads = (await self.store.heads()).shards
        return {code for head in heads for code in head.confirmed.apart}


class Wire:
    """A TCP proxy to the store whose present connections can be held, let go, or cut."""

    def __init__(self, target):
        self.stopped = asyncio.Event()  # something came on a held connection
        self._target = target
        self._open = []
        self._held = []
        self._ended = asyncio.Condition()

    def hold(self):
        """What comes on the present connections waits from now on; new connections work."""
        self._held = list(self._open)
        for connection in self._held:
            connection.goes_on.clear()

    def let_go(self):
        """What was held goes on."""
        for connection in self._held:
            connection.goes_on.set()
        self._held = []

    def cut(self):
        """Break the held connections (all, where none is held); what was held is lost."""
        for connection in self._held or list(self._open):
            connection.cut()
        self._held = []

    async def connect(self, reader, writer):
        """One connection, piped both ways until it ends."""
        connection = _Connection(self.stopped, writer)
        self._open.append(connection)
        try:
            await connection.pipe(reader, self._target)
        finally:
            self._open.remove(connection)
            async with self._ended:
                self._ended.notify_all()

    async def ended(self):
        """Wait until no connection is open."""
        async with self._ended:
            await self._ended.wait_for(lambda: not self._open)


class _Connection:
    def __init__(self, stopped, writer):
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self._stopped = stopped
        self._writers = [writer]
        self._is_cut = False

    async def pipe(self, reader, target):
        """Both ways, until either side hangs up."""
        there, back = await asyncio.open_connection(*target)
        self._writers.append(back)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._requests(reader, back))
            group.create_task(self._replies(there, self._writers[0]))

    def cut(self):
        """Break it; what is held is lost."""
        self._is_cut = True
        self.goes_on.set()
        for writer in self._writers:
            writer.transport.abort()

    async def _requests(self, reader, writer):
        with suppress(OSError):
            while data := await reader.read(65_536):
                if not self.goes_on.is_set():
                    self._stopped.set()
                    await self.goes_on.wait()
                if not self._is_cut:
                    writer.write(data)
        writer.close()

    async def _replies(self, reader, writer):
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()


@pytest.fixture
def exchange():
    """A stand-in exchange of a few scrips that all trade; serve it with `async with exchange.serving()`."""
    return Exchange()


@pytest.fixture
def fetching(redis, exchange):
    """Serve the exchange and make fetchers that ask it: `async with fetching() as hire`."""

    @asynccontextmanager
    async def serve():
        async with exchange.serving(), aiohttp.ClientSession() as session:

            def hire(holder="fetcher-1", *, shared=False, **bse):
                return Fetcher(
                    redis,
                    session,
                    holder,
                    shared=shared,
                    **{"base_url": exchange.url, **bse},
                )

            yield hire

    return serve


@pytest.fixture
def wired(redis_server, redis):  # noqa: ARG001 - an empty store
    """A client of the store whose wire can be held: `async with wired() as (client, wire)`."""

    @asynccontextmanager
    async def connect():
        target = urlsplit(redis_server)
        wire = Wire((target.hostname, target.port))
        server = await asyncio.start_server(wire.connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = RedisSettings(url=f"redis://127.0.0.1:{port}/0", timeout_s=5)
        async with server:
            async with open_redis(settings, "test") as client:
                yield client, wire
                wire.let_go()
            await wire.ended()

    return connect


@pytest.fixture
def terms_of():
    """Make terms on a store of a few shards."""

    def make(redis: Redis, holder="fetcher-1", ttl_s=LEASE_TTL_S, *, shared=False):
        clock = FakeClock()
        store = MarketStore(redis, clock, SHARDS)
        metrics = FetcherMetrics(CollectorRegistry())
        return Terms(store, clock, holder, ttl_s, metrics, shared=shared)

    return make
