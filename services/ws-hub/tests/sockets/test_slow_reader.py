"""A client that does not read: what it misses is merged, what it costs is bounded, and in the end it is cut."""

import asyncio
import contextlib
import json
import socket
import struct

import pytest

from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.testing.builders import a_quote
from bse_ws_hub.hub.rows import CAUGHT_UP
from bse_ws_hub.loops.flush import SLOWED_INTERVAL_MS
from bse_ws_hub.sockets.direct_socket import UNREAD_BYTES_MAX


SCRIPS = [Instrument(600_000 + n, f"S{n}") for n in range(400)]
FRAME_BYTES_MAX = 200_000
"""More than an image of all these scrips."""


class SlowClient:
    """A raw socket with a small receive buffer, which reads when told to."""

    def __init__(self, raw):
        self.raw = raw
        self.loop = asyncio.get_running_loop()
        self._buffer = b""

    async def send(self, **message):
        """A command."""
        payload = json.dumps(message).encode()
        head = struct.pack("!BBH4x", 0x81, 0x80 | 126, len(payload))
        await asyncio.wait_for(self.loop.sock_sendall(self.raw, head + payload), 5)

    async def next(self):
        """The next message; the close code as a number; None at the end."""
        try:
            head, length = struct.unpack("!BB", await self._take(2))
            if length == 126:
                (length,) = struct.unpack("!H", await self._take(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self._take(8))
            payload = await self._take(length)
        except (ConnectionError, EOFError):
            return None
        if head == 0x88:
            return struct.unpack("!H", payload[:2])[0]
        return json.loads(payload)

    async def _take(self, count):
        while len(self._buffer) < count:
            data = await asyncio.wait_for(self.loop.sock_recv(self.raw, 65_536), 5)
            if not data:
                raise EOFError
            self._buffer += data
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found


@pytest.fixture
async def connect_slowly():
    """Opens a slow client to a hub; it has read nothing but the handshake."""
    with contextlib.ExitStack() as stack:

        async def open_one(hub):
            raw = stack.enter_context(socket.socket())
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.setblocking(False)
            client = SlowClient(raw)
            await client.loop.sock_connect(raw, ("127.0.0.1", hub.port))
            await client.loop.sock_sendall(
                raw,
                b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            )
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += await client.loop.sock_recv(raw, 1)
            return client

        yield open_one


@pytest.fixture
async def big_market(market):
    """Four hundred scrips, quoted."""
    await market.open(InstrumentMaster(SCRIPS, 2))
    await market.report({i.code: a_quote() for i in SCRIPS})
    return market


async def move(market, paise):
    """All scrips trade at once."""
    await market.report({i.code: a_quote(paise) for i in SCRIPS})


ALL = {"op": "subscribe", "symbols": [i.symbol for i in SCRIPS], "mode": "full"}


def greediest(hub):
    """The client that wants more than one scrip, once it does."""
    clients = hub.clients.all.values()
    return next((c for c in clients if len(c.session.wants) > 1), None)


async def test_who_reads_nothing_is_bounded_and_cut_and_others_are_not_touched(
    big_market, start_hub, connect_slowly, connect, until
):
    """Buffers stay below the limit and a frame; 4008 after slow_cut_s; the neighbour gets every price."""
    hub = await start_hub(slow_cut_s=0.5)
    slow, neighbour = await connect_slowly(hub), await connect(hub)
    await slow.send(**ALL)
    await neighbour.send(op="subscribe", symbols=["S0"], mode="ltp")
    await neighbour.until("image")
    client = await until(lambda: greediest(hub))
    largest, conflated = 0, 0
    for step in range(1000):
        if client.session.id not in hub.clients.all:
            break
        await move(big_market, 300_000 + step)
        update = await neighbour.until("update")
        assert 3000 + step / 100 == pytest.approx(update["quotes"][0]["last"])
        largest = max(largest, client.outlet.unread_bytes())
        conflated = client.session.conflated
    closes = hub.clients.metrics.closes.labels("slow_consumer")
    connections = hub.server.server_state.connections
    await until(lambda: len(connections) == 1)

    assert CAUGHT_UP * UNREAD_BYTES_MAX < largest <= 256 * 1024
    assert conflated > len(SCRIPS)
    assert conflated <= hub.clients.metrics.conflated._value.get()
    assert 1 == closes._value.get()


async def test_what_an_operator_sees_of_it(
    big_market, hub, connect_slowly, scrape, until
):
    """Who lags, and what is held for him; nothing of it once he has read, and been sent what he missed."""
    metrics = hub.clients.metrics
    slow = await connect_slowly(hub)
    await slow.send(**ALL)
    client = await until(lambda: greediest(hub))
    await until(lambda: metrics.lagging._value.get() == 1)
    held = await until(metrics.buffer_bytes._value.get)
    assert CAUGHT_UP * UNREAD_BYTES_MAX < held <= 256 * 1024
    await move(big_market, 300_000)
    await move(big_market, 300_001)
    missed = await scrape(hub)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(_read_on(slow))
        await until(lambda: metrics.lagging._value.get() == 0)
        await until(lambda: metrics.buffer_bytes._value.get() == 0)
        reading.cancel()

    assert client.lagging_since_ms is None
    name = "ws_hub_received_to_sent_seconds_count"
    assert missed[name] < (await scrape(hub))[name]


async def _read_on(slow):
    while await slow.next() is not None:
        pass


async def test_who_was_slowed_can_not_ask_it_away(hub, connect):
    """What he asks for meanwhile is granted when his time is over."""
    reader = await connect(hub)
    (client,) = hub.clients.all.values()
    client.slowed_until_ms = hub.clients.clock.monotonic_ms() + 60_000
    hub.clients.hub.limit(client.session, SLOWED_INTERVAL_MS)
    await reader.send(op="rate", max_hz=4)
    await reader.until("rate")
    assert SLOWED_INTERVAL_MS == client.session.interval_ms

    client.slowed_until_ms = 0
    notice = await reader.until("notice")
    assert ("keeps_up_again", 4) == (notice["reason"], notice["max_hz"])
    assert 250 == client.session.interval_ms


async def test_who_reads_in_time_hears_the_goodbye(
    big_market, start_hub, connect_slowly, until
):
    """The reason is behind what was buffered."""
    hub = await start_hub(slow_cut_s=0.2)
    slow = await connect_slowly(hub)
    await slow.send(**ALL)
    await until(lambda: hub.clients.hub.subscriptions)
    for step in range(1000):
        if not hub.clients.all:
            break
        await move(big_market, 300_000 + step)
    said = []
    while (message := await slow.next()) is not None:
        said.append(message)

    assert 4008 == said[-1]
    assert ("goodbye", "slow_consumer", True) == (
        said[-2]["type"],
        said[-2]["reason"],
        said[-2]["reconnect"],
    )


async def test_who_pauses_and_reads_again_converges(
    big_market, start_hub, connect_slowly, until
):
    """Every update follows what the client holds; in the end it holds the newest values."""
    hub = await start_hub(slow_cut_s=20, heartbeat_interval_ms=100)
    slow = await connect_slowly(hub)
    await slow.send(**ALL)
    await until(lambda: hub.clients.hub.subscriptions)
    step = 0
    (client,) = hub.clients.all.values()
    while client.lagging_since_ms is None:
        step += 1
        await move(big_market, 300_000 + step)
    for _ in range(5):
        step += 1
        await move(big_market, 300_000 + step)
    held = {}
    while not held or {q["last"] for q in held.values()} != {3000 + step / 100}:
        message = await slow.next()
        for row in message.get("quotes", ()):
            if message["type"] == "image":
                held[row["code"]] = row
            elif message["type"] == "update":
                own = held[row["code"]]
                assert row["from"] <= own["sequence"] < row["to"]
                held[row["code"]] = {**own, **row, "sequence": row["to"]}
    while True:
        beat = await slow.next()
        if beat["type"] == "heartbeat" and beat["conflated"]:
            break

    assert len(SCRIPS) == len(held)


async def test_who_sends_commands_and_reads_no_answers_is_not_read(
    big_market, start_hub, connect_slowly, until
):
    """Large answers to small commands do not pile up, and the client is cut."""
    await move(big_market, 1)
    hub = await start_hub({"mode": "off"}, slow_cut_s=0.5, commands_per_s=10_000)
    slow = await connect_slowly(hub)
    await slow.send(**ALL)
    (client,) = await until(lambda: list(hub.clients.all.values()))
    largest = 0

    async def flood():
        with contextlib.suppress(ConnectionError, TimeoutError):
            while True:
                await slow.send(op="subscribe", symbols=["S0"], mode="full")

    async with asyncio.TaskGroup() as group:
        flooding = group.create_task(flood())
        async with asyncio.timeout(5):
            while hub.clients.all:
                largest = max(largest, client.outlet.unread_bytes())
                await asyncio.sleep(0)
        flooding.cancel()

    assert UNREAD_BYTES_MAX < largest <= UNREAD_BYTES_MAX + 2 * FRAME_BYTES_MAX
