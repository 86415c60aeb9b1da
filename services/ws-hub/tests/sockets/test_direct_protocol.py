"""The contract with uvicorn: what the way around ASGI leans on, on real sockets."""

import asyncio
import inspect
import socket
import struct

import aiohttp
import pytest
import uvicorn
from uvicorn.config import Config
from uvicorn.server import ServerState

from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.encodings.wire import binary_frame, text_frame
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.sockets.deliver import deliver
from bse_ws_hub.sockets.direct_protocol import DirectProtocol
from bse_ws_hub.sockets.direct_socket import EXTENSION, UNREAD_BYTES_MAX
from bse_ws_hub.sockets.transports import ABORT_AFTER_S, SEND_BUFFER_BYTES


class Door:
    """An ASGI application that hands out its DirectSocket, and does what the test says."""

    def __init__(self):
        self.sockets = asyncio.Queue()
        self.ended = asyncio.Event()
        self.received = []

    async def __call__(self, scope, receive, send):
        """Accept, then read until the end."""
        await receive()
        await send({"type": "websocket.accept"})
        self.send = send
        self.sockets.put_nowait(scope["extensions"][EXTENSION])
        while (message := await receive())["type"] != "websocket.disconnect":
            self.received.append(message)
        self.disconnect = message
        self.ended.set()


class Serving:
    """A running Door and how to reach it."""

    def __init__(self, door, server, port, http):
        self.door = door
        self.server = server
        self.port = port
        self._http = http

    async def connect(self):
        """A client that reads, and the hub's end of its connection."""
        url = f"ws://127.0.0.1:{self.port}/"
        client = await self._http.ws_connect(url, max_msg_size=0, autoclose=False)
        return client, await self.door.sockets.get()

    async def connect_silent(self):
        """A raw socket that reads only when told to, and the hub's end of its connection."""
        return await silent_client(self.port), await self.door.sockets.get()

    @property
    def connections(self):
        """What uvicorn holds."""
        return self.server.server_state.connections


@pytest.fixture
async def serving(listening, http):
    """A Door on a free port."""
    door = Door()
    options = {"ws": DirectProtocol, "ws_per_message_deflate": False}
    async with listening(door, **options) as (server, port):
        yield Serving(door, server, port, http)


async def silent_client(port, receive_buffer=4096):
    """A raw socket after the handshake that reads nothing by itself."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, ("127.0.0.1", port))
    request = (
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(raw, request)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await loop.sock_recv(raw, 1)
    return raw


async def read_to_end(raw):
    """All bytes until the connection ends, whichever way."""
    loop = asyncio.get_running_loop()
    found = b""
    try:
        while data := await asyncio.wait_for(loop.sock_recv(raw, 65_536), 5):
            found += data
    except ConnectionError:
        pass
    return found


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 1_200_000])
@pytest.mark.parametrize("text", [True, False])
async def test_a_ready_frame_of_any_length_is_what_a_client_decodes(
    serving, length, text
):
    """Each of the three length forms, at its borders."""
    payload = (b"abcdefghijklmnopqrstuvwxyz" * (length // 26 + 1))[:length]
    client, direct = await serving.connect()
    frame = text_frame if text else binary_frame
    direct.write(frame(payload))
    message = await client.receive(5)

    kind = aiohttp.WSMsgType.TEXT if text else aiohttp.WSMsgType.BINARY
    data = message.data.encode() if text else message.data
    assert (kind, payload) == (message.type, data)


async def test_direct_writes_and_asgi_sends_keep_their_order(serving):
    """Both end in the same transport, without a queue between."""
    client, direct = await serving.connect()
    for number in range(200):
        if number % 3:
            direct.write(text_frame(b"%d" % number))
        else:
            await serving.door.send({"type": "websocket.send", "text": str(number)})
    found = [int((await client.receive(5)).data) for _ in range(200)]

    assert list(range(200)) == found


async def test_sends_and_writes_keep_their_order_however_slowly_the_client_reads(
    serving, until
):
    """The kernel fills in the middle of a frame, empties, and fills again; the descriptor stays the transport's."""
    raw, direct = await serving.connect_silent()
    session = Session("a", MsgpackCodec(), direct)
    rewired = []
    direct.on_rewired = lambda: rewired.append(direct.send)
    loop = asyncio.get_running_loop()
    sent = found = b""
    for number in range(300):
        frame = binary_frame(number.to_bytes(2) * 5000)
        if number % 5:
            deliver([(session.receivers, frame, 1)])
        else:
            direct.write(frame)
        sent += frame
        if number % 100 == 99:
            while len(found) < len(sent):
                found += await loop.sock_recv(raw, 65_536)
            await until(lambda: direct.unread_bytes() == 0)
    raw.close()
    await until(lambda: not serving.connections)

    assert sent == found
    assert len(rewired) >= 5  # filled and emptied each time but the last, then muted
    assert len(b"dropped") == direct.send(b"dropped")


async def test_the_backlog_shows_what_is_not_read(serving, until):
    """It grows by what the kernel does not take, and falls when the client reads."""
    raw, direct = await serving.connect_silent()
    frame = binary_frame(bytes(10_000))
    empty = direct.unread_bytes()
    told = []
    direct.on_unread = lambda: told.append(direct.unread_bytes())
    for _ in range(100):
        direct.write(frame)
    grown = direct.unread_bytes()
    rest = 100 * len(frame)
    while rest:
        rest -= len(await asyncio.get_running_loop().sock_recv(raw, 65_536))
    await until(lambda: direct.unread_bytes() == 0)
    raw.close()

    assert 0 == empty
    assert 500_000 < grown <= 100 * len(frame)
    assert told
    assert told[0] <= len(frame)


async def test_close_sends_code_and_reason_behind_what_is_buffered(serving, until):
    """The client reads all that was written before, then why; nothing that was written after."""
    client, direct = await serving.connect()
    direct.write(text_frame(b"last words"))
    direct.close(4008, "slow_consumer")
    direct.write(text_frame(b"too late"))
    direct.close(4000, "again")
    first, close = await client.receive(5), await client.receive(5)
    await client.close()
    await until(lambda: not serving.connections)

    assert "last words" == first.data
    assert (4008, "slow_consumer") == (close.data, close.extra)


async def test_a_client_that_never_answers_the_close_is_cut(serving):
    """Within ABORT_AFTER_S, with what it did not read."""
    raw, direct = await serving.connect_silent()
    for _ in range(50):
        direct.write(binary_frame(bytes(10_000)))
    loop = asyncio.get_running_loop()
    started = loop.time()
    direct.close(4008, "slow_consumer")
    await asyncio.wait_for(serving.door.ended.wait(), ABORT_AFTER_S + 1)

    assert ABORT_AFTER_S - 0.1 < loop.time() - started < ABORT_AFTER_S + 0.5
    assert set() == serving.connections
    direct.write(b"nobody there")
    assert 0 == direct.unread_bytes()
    raw.close()


async def test_a_client_that_closes_and_reads_no_more_is_cut(serving, until):
    """Its transport would wait for ever for a buffer that nobody reads."""
    raw, direct = await serving.connect_silent()
    for _ in range(100):
        direct.write(binary_frame(bytes(10_000)))
    await asyncio.get_running_loop().sock_sendall(raw, frame_of(0x88, b"\x03\xe8"))
    await until(lambda: not serving.connections, ABORT_AFTER_S + 1)
    raw.close()


async def test_half_a_close_by_a_client_that_does_not_read_is_cut(serving, until):
    """The end of what it writes is the end of it."""
    raw, direct = await serving.connect_silent()
    for _ in range(100):
        direct.write(binary_frame(bytes(10_000)))
    raw.shutdown(socket.SHUT_WR)
    await until(lambda: not serving.connections, ABORT_AFTER_S + 1)
    raw.close()


async def test_pings_without_reading_do_not_fill_the_buffer(serving):
    """Who does not read the pongs gets none."""
    raw, direct = await serving.connect_silent()
    flood = frame_of(0x89, bytes(125)) * 2000
    loop = asyncio.get_running_loop()
    for _ in range(10):
        await asyncio.wait_for(loop.sock_sendall(raw, flood), 5)
    assert direct.unread_bytes() <= UNREAD_BYTES_MAX + len(flood)
    raw.close()


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(0x81, b"\xff\xfe")], 1007),
        ([(0x01, b"\xc3"), (0x80, b"\x28")], 1007),
        ([(0x01, b"a"), *[(0x00, b"b")] * 20], 1009),
        ([(0x01, b"a"), (0x00, b"")], 1009),
        ([(0x02, b""), *[(0x00, b"")] * 1000], 1009),
        ([(0xC1, b"a")], 1002),
        ([(0x83, b"a")], 1002),
        ([(0x89, bytes(126))], 1002),
        ([(0x09, b"")], 1002),
        ([(0x80, b"")], 1002),
    ],
)
async def test_what_breaks_the_protocol_is_closed_by_code(
    serving, log_lines, frames, code
):
    """The close frame arrives, the transport ends, the log stays empty."""
    raw = await silent_client(serving.port)
    data = b"".join(frame_of(head, payload) for head, payload in frames)
    await asyncio.get_running_loop().sock_sendall(raw, data)
    answer = await read_to_end(raw)
    raw.close()
    await asyncio.wait_for(serving.door.ended.wait(), 5)

    assert (0x88, code) == (answer[0], struct.unpack("!H", answer[2:4])[0])
    assert [] == serving.door.received
    assert [] == log_lines.all()


async def test_sixteen_fragments_are_taken(serving, until):
    """Real clients send a few, and an empty last one."""
    raw, _ = await serving.connect_silent()
    parts = [(0x01, b"a"), *[(0x00, b"b")] * 14, (0x80, b"")]
    data = b"".join(frame_of(head, payload) for head, payload in parts)
    await asyncio.get_running_loop().sock_sendall(raw, data)
    await until(lambda: serving.door.received)
    raw.close()

    assert ["a" + "b" * 14] == [m["text"] for m in serving.door.received]


@pytest.mark.parametrize(
    "request_line", [b"POST / HTTP/1.1", b"GET /" + b"x" * 9000 + b" HTTP/1.1"]
)
async def test_an_upgrade_that_is_none_is_refused(
    serving, log_lines, until, request_line
):
    """uvicorn would leave the client without an answer and keep the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(request_line + b"\r\nHost: x\r\nUpgrade: websocket\r\n")
    writer.write(b"Connection: Upgrade\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await until(lambda: not serving.connections)

    assert answer.startswith((b"HTTP/1.1 405", b"HTTP/1.1 414"))
    assert [] == log_lines.all()


async def test_the_buffers_are_small(serving):
    """Neither kernel nor transport hide megabytes of a slow reader."""
    _, direct = await serving.connect()
    transport = direct._owner.transport
    raw = transport.get_extra_info("socket")

    assert 0 == transport.get_write_buffer_limits()[1]
    # Linux doubles what is asked for.
    assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES


async def test_uvicorn_has_what_we_lean_on():
    """A new uvicorn that renames one of these fails here, not in production."""
    protocol = DirectProtocol(Config(app=Door()), ServerState(), {})

    held = "queue conn loop frames close_sent close_timer close_timeout read_paused"
    more = "pending_ping_payload last_ping_rtt"
    for name in (
        *held.split(),
        *more.split(),
        "writable",
        "handshake_initiated",
        "transport",
    ):
        assert hasattr(protocol, name), name
    assert protocol.conn.handshake_exc is None
    own = set(vars(DirectProtocol)) - {
        *("fragments_max", "fragment_bytes_min", "_fail", "_end_soon"),
        *("close_with", "detach", "read", "_forget_handshake"),
        *("_refuse_handshake", "__module__", "__doc__"),
    }
    for name in own:
        assert inspect.isfunction(getattr(DirectProtocol.__base__, name)), name
    assert uvicorn.__version__.startswith("0.54.")


def frame_of(head, payload):
    """A client's frame, masked with zeros."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB4x", head, 0x80 | length) + payload
    if length < 65_536:
        return struct.pack("!BBH4x", head, 0x80 | 126, length) + payload
    return struct.pack("!BBQ4x", head, 0x80 | 127, length) + payload
