"""Clients that follow the protocol to the letter and hop between hubs, and a market that never rests."""

import asyncio
import contextlib
import json
import os
import random
import sys
from collections import deque
from decimal import Decimal

import aiohttp
import msgpack
import pytest
import socketio

from bse_local_stack.ports import free_ports
from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.modes import MODE_MASKS, Mode, mask_of_names
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote import FIELDS, NUMBER, Condition, Kind, Source
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.builders import a_quote, seen
from bse_shared.testing.stream_witness import Ledger, Row, Witness
from bse_shared.wire.records import FeedStatus, SessionRecord


WITHIN_S = 10.0
SHARDS = 4
SCRIPS = [Instrument(500_000 + n, f"S{n}", "", f"Scrip {n}", "A") for n in range(48)]
UNQUOTED = SCRIPS[-1].code
"""Is known, and never traded."""

STORY = {"url", "how", "resumed", "re_imaged", "quotes"}
"""What is told of a client's past where it fails."""

FIELD = {field.public_name: field for field in FIELDS}


# The market.


class BusyMarket:
    """The fetcher's side, which keeps a ledger of all it writes. `shards` leases, one holder at a time."""

    def __init__(self, redis, rng):
        self.redis = redis
        self.rng = rng
        self.ledger = Ledger()
        self.master = InstrumentMaster(SCRIPS, 1)
        self.store = MarketStore(redis, SystemClock(), SHARDS)
        self.news = asyncio.Event()
        self.due = deque()
        self._terms = 0
        self._leases = []
        self._writers = []

    async def open(self):
        """All scrips but one are quoted."""
        await self.store.save_instruments(self.master)
        await self.take_over()
        await self.write({i.code: seen(a_quote()) for i in SCRIPS[:-1]})
        await self.beat()

    async def take_over(self):
        """Another fetcher goes on with all shards."""
        await self.store.release_leases(self._leases)
        self._terms += 1
        name = f"fetcher-{self._terms}"
        shards = range(SHARDS)
        take = self.store.take_lease
        self._leases = [await take(shard, name, 60_000, 0) for shard in shards]
        self._writers = [ShardWriter(await self.store.snapshot(s)) for s in shards]

    async def write(self, fields_by_code):
        """One batch a shard."""
        now_ms = self.store.now_ms()
        plans = []
        for shard, writer in enumerate(self._writers):
            own = {
                code: fields
                for code, fields in fields_by_code.items()
                if shard_of(code, SHARDS) == shard
            }
            if own:
                plans.append((shard, writer.plan_batch(own, now_ms)))
        for _, plan in plans:
            self.ledger.write(plan)
        committed = [(self._leases[shard], plan) for shard, plan in plans]
        refusals = await self.store.commit(committed, self.master)
        assert not any(refusals), refusals
        for shard, plan in plans:
            self._writers[shard].committed(plan)

    async def trade(self):
        """Some scrips change in some fields."""
        rng, base = self.rng, 290_000
        moves = [
            lambda: {NUMBER["last_paise"]: base + rng.randrange(5000)},
            lambda: {NUMBER["volume"]: rng.randrange(10**9)},
            lambda: {NUMBER["upper_circuit_paise"]: base + rng.randrange(5000)},
            lambda: {NUMBER["condition"]: rng.randrange(4)},
            lambda: {
                NUMBER["last_paise"]: base + rng.randrange(5000),
                NUMBER["bids"]: ((base + rng.randrange(99), rng.randrange(1, 99)),),
            },
        ]
        codes = rng.sample(SCRIPS[:-1], rng.randrange(1, 12))
        await self.write({i.code: rng.choice(moves)() for i in codes})

    async def close_prices(self):
        """The last trade of every scrip."""
        price = NUMBER["last_paise"]
        await self.write({i.code: {price: 300_000 + i.code} for i in SCRIPS[:-1]})

    async def keep_trading(self, stop):
        """Bursts of trades, each when somebody has seen something of the last; and what befalls the market."""
        bursts = 0
        while not stop.is_set():
            self.news.clear()
            while self.due:
                await self.due.popleft()()
            for _ in range(self.rng.randrange(1, 4)):
                await self.trade()
            if bursts % 10 == 0:
                await self.beat()
            bursts += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), 0.02)

    async def keep_beating(self):
        """The market rests, the fetcher lives."""
        while True:
            await self.beat()
            await asyncio.sleep(0.5)

    async def beat(self):
        """The fetcher's word on the feed."""
        session = SessionRecord(phase="open", is_open=True, reason="normal trading")
        await self.store.beat(
            FeedStatus(
                at_ms=self.store.now_ms(),
                writer=f"fetcher-{self._terms}",
                source="bse",
                state="ok",
                session=session,
                shards=SHARDS,
                poll_interval_s=3,
            )
        )

    async def cut_bus(self):
        """One follower loses its subscription, as when a connection breaks."""
        found = await self.redis.client_list(_type="pubsub")
        if found:
            await self.redis.client_kill_filter(_id=self.rng.choice(found)["id"])

    async def images(self):
        """What the store holds."""
        found = {}
        for shard in range(SHARDS):
            found |= (await self.store.snapshot(shard)).images
        return found


@pytest.fixture
async def busy_market(redis, request):
    """A market in several shards that trades as told."""
    market = BusyMarket(redis, random.Random(getattr(request, "param", 1)))
    await market.open()
    return market


# The connections.


def paise(value):
    """Rupees of JSON, or levels of them."""
    if isinstance(value, list):
        return tuple((paise(price), quantity) for price, quantity in value)
    assert isinstance(value, Decimal), value
    return int(value * 100)


def inside(name, value):
    """A public JSON value as the platform holds it."""
    kind = FIELD[name].kind
    if value is None or kind in {Kind.COUNT, Kind.TIME_MS}:
        return value
    if kind in {Kind.SOURCE, Kind.CONDITION}:
        return (Source if kind is Kind.SOURCE else Condition)[value.upper()].value
    return paise(value)


def read_json(text):
    """With prices as they are written."""
    return json.loads(text, parse_float=Decimal)


def json_row(row):
    """A quote of `image` or `update`."""
    fields = {
        FIELD[n].number: inside(n, value) for n, value in row.items() if n in FIELD
    }
    to = row["sequence"] if "sequence" in row else row["to"]
    return Row(row["code"], row.get("epoch"), row.get("from"), to, fields)


def packed_row(kind, row):
    """A row of MessagePack's `image` or `update`."""
    fields = {
        number: tuple(map(tuple, value)) if isinstance(value, list) else value
        for number, value in row[-1].items()
    }
    if kind == 1:
        return Row(row[0], row[1], None, row[2], fields)
    return Row(row[0], None, row[1], row[2], fields)


class Raw:
    """The raw door."""

    def __init__(self, http, subprotocol, query=""):
        self._http = http
        self._query = query
        self._subprotocol = subprotocol
        self._socket = None

    async def open(self, url, start):
        """Connect."""
        self._socket = await self._http.ws_connect(
            f"{url}/ws{self._query}",
            protocols=[self._subprotocol],
            compress=15 if self._query else 0,
            max_msg_size=0,
        )
        for command in start:
            await self.send(command)

    async def send(self, command):
        """A command."""
        if self._subprotocol.endswith("json"):
            await self._socket.send_str(json.dumps(command))
        else:
            await self._socket.send_bytes(msgpack.packb(command))

    async def next(self):
        """The next message as (type, members); None at the end."""
        found = await self._socket.receive(WITHIN_S)
        if found.type == aiohttp.WSMsgType.TEXT:
            message = read_json(found.data)
            rows = message.get("quotes", ())
            if message["type"] in {"image", "update"}:
                message["rows"] = [json_row(row) for row in rows]
            return message["type"], message
        if found.type == aiohttp.WSMsgType.BINARY:
            message = msgpack.unpackb(found.data, strict_map_key=False)
            if isinstance(message, dict):
                return message["type"], message
            kind = ("image", "update", "quality")[message[0] - 1]
            rows = [] if kind == "quality" else message[3]
            return kind, {"rows": [packed_row(message[0], row) for row in rows]}
        return None

    @property
    def close_code(self):
        """After the end."""
        return self._socket.close_code

    async def leave(self, how):
        """In one of several ways; whatever was under way is not read any more."""
        connection = self._socket._response.connection
        if how == "close" or connection is None:
            await self._socket.close()
        elif how == "abort":
            connection.transport.abort()
        else:
            connection.transport.write_eof()
            while await self.next():
                pass
        await self._socket.close()


class _Json:
    """What python-socketio reads and writes with."""

    loads = staticmethod(read_json)
    dumps = staticmethod(json.dumps)


class ExactPacket(socketio.packet.Packet):
    """A packet whose prices are read as they are written; the library's `json` would be everybody's."""

    json = _Json


class SocketIo:
    """The Socket.IO door, by python-socketio's client."""

    def __init__(self, http, transports):
        self._http = http
        self._transports = transports
        self._sio = None
        self._news = None

    async def open(self, url, start):
        """Connect."""
        self._news = news = asyncio.Queue()
        self._sio = socketio.AsyncClient(
            reconnection=False, http_session=self._http, serializer=ExactPacket
        )
        self._sio.on("*", lambda kind, data: news.put_nowait((kind, data)))
        self._sio.on("disconnect", lambda _reason: news.put_nowait(None))
        await self._sio.connect(url, transports=self._transports)
        for command in start:
            await self.send(command)

    async def send(self, command):
        """A command; its acknowledgement is a message like others."""
        members = {name: value for name, value in command.items() if name != "op"}
        news = self._news
        await self._sio.emit(
            command["op"], members, callback=lambda a: news.put_nowait((a["type"], a))
        )

    async def next(self):
        """See Raw."""
        found = await asyncio.wait_for(self._news.get(), WITHIN_S)
        if found is not None and found[0] in {"image", "update"}:
            rows = [json_row(row) for row in found[1]["quotes"]]
            return found[0], {"rows": rows}
        return found

    close_code = None

    async def leave(self, how):
        """See Raw."""
        websocket = self._sio.eio.ws
        if how != "close" and websocket is not None:
            connection = websocket._response.connection
            if connection is not None and how == "abort":
                connection.transport.abort()
            elif connection is not None:
                connection.transport.write_eof()
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await self._sio.disconnect()
        await self._sio.eio.disconnect(abort=True)


class Sse:
    """Server-Sent Events. What is wanted stands in the query, where it stood in `Last-Event-ID`."""

    def __init__(self, http):
        self._http = http
        self._answer = None
        self.last_event_id = None

    async def open(self, url, start):
        """Connect; `start` is one subscribe."""
        (command,) = start
        query = {"symbols": ",".join(command["symbols"])}
        query |= {k: command[k] for k in ("mode", "max_hz") if k in command}
        if "fields" in command:
            query["fields"] = ",".join(command["fields"])
        known = {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}
        self._answer = await self._http.get(f"{url}/sse", params=query, headers=known)
        assert self._answer.status == 200, await self._answer.text()

    async def next(self):
        """See Raw."""
        event = {}
        while True:
            try:
                line = await asyncio.wait_for(self._answer.content.readline(), WITHIN_S)
            except (aiohttp.ClientError, ConnectionError):
                return None
            if not line:
                return None
            if line != b"\n":
                name, _, value = line.decode().rstrip("\n").partition(": ")
                event[name] = value
            elif "event" in event:
                self.last_event_id = event.get("id", self.last_event_id)
                message = read_json(event["data"])
                if event["event"] in {"image", "update"}:
                    message["rows"] = [json_row(row) for row in message["quotes"]]
                return event["event"], message
            else:
                event = {}

    close_code = None

    async def leave(self, how):
        """A stream has one end."""
        self._answer.close()


# Those who travel.


class Traveller:
    """A client with a set, which it has again wherever it goes."""

    def __init__(self, number, link, market, rng):
        self.link = link
        self.rng = rng
        self.name = f"{number} {type(link).__name__}"
        self.is_sse = isinstance(link, Sse)
        self.codes = rng.sample([i.code for i in SCRIPS], rng.choice([1, 8, 30, 48]))
        self.options = self._options(number)
        self.rate = rng.choice([None, None, 20])
        self.witness = Witness(
            market.ledger,
            self.codes,
            _mask(self.options),
            every=self.options.get("every", False),
            limited="max_hz" in self.options or self.rate is not None,
        )
        self.goodbye = None
        self.past = deque(maxlen=400)
        self._market = market
        self._holds_digest = False

    def _options(self, number):
        options = [
            {"mode": "ltp"},
            {"mode": "quote"},
            {"mode": "full"},
            {"fields": ["last", "volume"]},
            {"mode": "quote", "max_hz": 10},
        ]
        if not self.is_sse:
            options += [
                {"mode": "full", "every": True},
                {"fields": ["last"], "every": True},
            ]
        return options[number % len(options)]

    async def come(self, url):
        """Connect, and go on from what it holds."""
        witness = self.witness
        self.past.append(("come", {"url": url}))
        if self.is_sse:
            if self.link.last_event_id is None:
                witness.forget()
                witness.asks_images(self.codes)
            await self.link.open(url, [self._subscribe(self.codes)])
            return
        commands = [{"op": "heartbeat", "interval_ms": 500, "digest": True}]
        if self.rate:
            commands.append({"op": "rate", "max_hz": self.rate})
        missing = [code for code in self.codes if code not in witness.held]
        if witness.held:
            resume = {"op": "resume", "positions": witness.positions, **self.options}
            commands.append(resume)
        if missing:
            commands.append(self._subscribe(missing))
            witness.asks_images(missing)
        await self.link.open(url, commands)

    async def step(self):
        """One message; its type, or None where the connection ended."""
        found = await self.link.next()
        if found is None:
            return None
        self.past.append(found)
        try:
            self._take(*found)
        except AssertionError as wrong:
            wrong.add_note(self._story(str(wrong)))
            raise
        return found[0]

    def _story(self, wrong):
        """What led to a failure, as far as it concerns the scrip."""
        code = next((c for c in map(str, self.codes) if c in wrong), "no scrip")
        told = [f"{self.name} {self.options} rate {self.rate}"]
        for kind, what in self.past:
            rows = what.get("rows", ()) if isinstance(what, dict) else ()
            told += [f"{kind} {row}" for row in rows if str(row.code) == code]
            if kind in {"lost", "resumed", "come", "leave", "subscribed"}:
                own = {k: v for k, v in what.items() if k in STORY}
                told.append(f"{kind} {own}")
        return "\n".join(told[:1] + told[-14:])

    def _take(self, kind, message):
        witness = self.witness
        if kind in {"image", "update"}:
            for row in message["rows"]:
                getattr(witness, kind)(row)
            self._market.news.set()
        elif kind == "lost":
            witness.lost(message["quotes"])
        elif kind == "resumed":
            witness.resumed(message)
        elif kind == "heartbeat":
            self._holds_digest = "digest" in message
            if self._holds_digest:
                witness.digest(message["digest"])
        elif kind == "goodbye":
            self.goodbye = message
        assert kind != "error", message

    async def stay(self, messages):
        """Read so many messages."""
        for _ in range(messages):
            if await self.step() is None:
                return

    async def leave(self, how):
        """Go, as a client goes."""
        self.past.append(("leave", {"how": how}))
        await self.link.leave(how)
        self.witness.left()
        if not self.is_sse and self.rng.random() < 0.1:
            self.witness.forget()

    async def settle(self, images):
        """Read until it holds what the store holds, and, where it can, has been told the proof of it."""
        async with asyncio.timeout(WITHIN_S):
            while not self.witness.has(images):
                assert await self.step(), f"{self.name}: closed"
            self._holds_digest = self.is_sse
            while not self._holds_digest:
                assert await self.step(), f"{self.name}: closed"

    def _subscribe(self, codes):
        symbols = [str(code) for code in codes]
        return {"op": "subscribe", "symbols": symbols, **self.options}


def _mask(options):
    if "fields" in options:
        names = [FIELD[name].name for name in options["fields"]]
        return mask_of_names(names)
    return MODE_MASKS[Mode(options["mode"])]


@pytest.fixture
async def travellers(busy_market, http):
    """So many clients of all doors, drawn from a seed."""

    def draw(count, seed):
        links = [
            lambda: Raw(http, "bse.v1.json"),
            lambda: Raw(http, "bse.v1.msgpack"),
            lambda: Sse(http),
            lambda: Raw(http, "bse.v1.msgpack"),
            lambda: SocketIo(http, ["websocket"]),
            lambda: Raw(http, "bse.v1.json", "?compress=deflate"),
            lambda: SocketIo(http, ["polling", "websocket"]),
            lambda: Sse(http),
        ]
        rng = random.Random(seed)
        return [
            Traveller(
                number,
                links[number % len(links)](),
                busy_market,
                random.Random(rng.random()),
            )
            for number in range(count)
        ]

    return draw


# The hubs.


@pytest.fixture
async def two_hubs(busy_market, redis_server, hubs, serving_hub, until):
    """Two hubs in this loop, on one store."""
    await busy_market.beat()
    found = []
    for name in ("hub-1", "hub-2"):
        hub = await hubs.enter_async_context(
            serving_hub(redis_server, auth={"mode": "off"}, name=name, shards=SHARDS)
        )
        follower = hub.clients.follower
        await asyncio.wait_for(follower.readied.wait(), WITHIN_S)
        await until(lambda follower=follower: follower.connected)
        found.append(hub)
    return found


@pytest.fixture
async def hub_processes(busy_market, redis_server, http):
    """Two hubs as processes; gives (process, URL) of each."""
    started = []
    async with contextlib.AsyncExitStack() as stack:
        for port in free_ports(2):
            env = {
                **os.environ,
                "REDIS_URL": redis_server,
                "HTTP_HOST": "127.0.0.1",
                "HTTP_PORT": str(port),
                "MARKET_SHARDS": str(SHARDS),
                "AUTH_MODE": "off",  # all come from one address, and fast
                "WS_HUB_ARRIVALS_PER_S": "10000",
                "LOG_LEVEL": "error",
            }
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bse_ws_hub"), env=env
            )
            stack.push_async_callback(_ended, process)
            started.append((process, f"http://127.0.0.1:{port}"))
        async with asyncio.timeout(20):
            for _, url in started:
                while not await _is_ready(http, url):
                    await busy_market.beat()
        yield started


async def _is_ready(http, url):
    try:
        async with http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        await asyncio.sleep(0.05)
        return False


async def _ended(process):
    if process.returncode is None:
        process.terminate()
    await asyncio.wait_for(process.wait(), WITHIN_S)
