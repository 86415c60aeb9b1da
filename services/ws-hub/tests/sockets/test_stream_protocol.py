"""The contract with uvicorn's HTTP protocol, and a stream that nobody reads."""

import asyncio
import contextlib
import socket

import aiohttp
import pytest

from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.testing.builders import a_quote
from bse_ws_hub.sockets.stream_protocol import EXTENSION, StreamEnd, StreamProtocol
from bse_ws_hub.sockets.transports import ABORT_AFTER_S, SEND_BUFFER_BYTES


SCRIPS = [Instrument(600_000 + n, f"S{n}") for n in range(300)]


@contextlib.asynccontextmanager
async def silent_reader(port, path):
    """A connection whose response nobody reads."""
    loop = asyncio.get_running_loop()
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", port))
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        await loop.sock_sendall(raw, request)
        yield raw


class Streaming:
    """An ASGI application that streams for ever, with the end of its connection."""

    def __init__(self):
        self.scopes = asyncio.Queue()

    async def __call__(self, scope, receive, send):
        """Write as fast as it is taken."""
        end = scope["extensions"][EXTENSION]
        end.keep_small()
        self.scopes.put_nowait(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._write(send))
            while (await receive())["type"] != "http.disconnect":
                pass
            writing.cancel()

    async def _write(self, send):
        while True:
            body = {"type": "http.response.body", "body": b"x" * 1000}
            await send({**body, "more_body": True})
            await asyncio.sleep(0)


@pytest.fixture
async def streaming(listening):
    """It runs; gives (application, server, port)."""
    app = Streaming()
    async with listening(app, http=StreamProtocol) as (server, port):
        yield app, server, port


async def test_every_request_has_the_end_of_its_connection(streaming, until):
    """The kernel's buffer is bounded; what nobody reads is cut in time."""
    app, server, port = streaming
    loop = asyncio.get_running_loop()
    async with silent_reader(port, "/"):
        scope = await app.scopes.get()
        end = scope["extensions"][EXTENSION]
        (connection,) = server.server_state.connections
        own = connection.transport.get_extra_info("socket")
        size = own.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        began = loop.time()
        end.end_soon()
        await until(lambda: not server.server_state.connections)

    assert isinstance(end, StreamEnd)
    assert size <= 2 * SEND_BUFFER_BYTES  # Linux doubles what is asked for
    assert loop.time() - began < ABORT_AFTER_S + 1


async def test_to_end_what_is_over_does_nothing(streaming, until):
    """The client may be faster."""
    app, server, port = streaming
    async with silent_reader(port, "/"):
        scope = await app.scopes.get()
    await until(lambda: not server.server_state.connections)
    scope["extensions"][EXTENSION]._transport.abort()
    scope["extensions"][EXTENSION].keep_small()

    assert not server.server_state.tasks


async def test_a_stream_that_nobody_reads_is_gone(market, start_hub, until, log_lines):
    """Within slow_cut_s and 3 s the connection is closed, and nothing is left of the client."""
    slow_cut_s = 0.5
    await market.open(InstrumentMaster(SCRIPS, 2))
    await market.report({i.code: a_quote() for i in SCRIPS})
    hub = await start_hub(auth={"mode": "off"}, slow_cut_s=slow_cut_s)
    loop = asyncio.get_running_loop()
    async with silent_reader(hub.port, "/sse?symbols=*&mode=full"):
        await until(lambda: hub.clients.hub.subscriptions)
        (client,) = hub.clients.all.values()
        step = 0
        while client.lagging_since_ms is None:
            step += 1
            await market.report({i.code: a_quote(step) for i in SCRIPS})
        lagging_since = loop.time()
        await until(lambda: not hub.server.server_state.connections)
        took_s = loop.time() - lagging_since
    await until(lambda: not any(hub.left_over().values()))
    closes = hub.clients.metrics.closes.labels("slow_consumer")

    assert 1 == closes._value.get()
    assert took_s < slow_cut_s + 3
    assert [] == log_lines.tracebacks()


async def test_a_stream_that_is_read_hears_why_it_ends(hub, until):
    """The goodbye comes, then the end in order."""
    url = f"{hub.url}/sse?symbols=TCS"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        await until(lambda: hub.clients.all)
        await hub.service.drain()
        text = (await answer.content.read()).decode()

    assert "close" == answer.headers["Connection"]
    assert "event: goodbye\n" in text
