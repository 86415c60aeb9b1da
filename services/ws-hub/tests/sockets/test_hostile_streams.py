"""Bytes of an enemy where a client comes back, asks for a pace, compresses, or streams by HTTP."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import time
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st


FUZZ = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WITHIN_S = 5
MESSAGE_BYTES_MAX = 65_536
COMPRESSED, TEXT, FINAL = 0x40, 0x01, 0x80


def frame(head, payload=b""):
    """A masked client frame."""
    length = len(payload)
    if length < 126:
        start = struct.pack("!BB", head, 0x80 | length)
    elif length < 65_536:
        start = struct.pack("!BBH", head, 0x80 | 126, length)
    else:
        start = struct.pack("!BBQ", head, 0x80 | 127, length)
    return start + bytes(4) + payload


def deflated(data):
    """As permessage-deflate sends it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    return packed.removesuffix(b"\x00\x00\xff\xff")


class Attacker:
    """A blocking WebSocket client that sends any bytes, and reads frames."""

    def __init__(self, port, path="/ws?compress=deflate", *, offers=True):
        self.raw = socket.create_connection(("127.0.0.1", port), WITHIN_S)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if offers else ""
        self.raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n{offer}\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.raw.recv(1)
        assert head.startswith(b"HTTP/1.1 101"), head
        self.agreed = b"permessage-deflate" in head

    def send(self, data):
        """Bytes as they are; the hub may have closed already."""
        with contextlib.suppress(ConnectionError):
            self.raw.sendall(data)

    def next(self):
        """The next message as text; the close code as a number; None at the end."""
        try:
            head, length = self._take(2)
            if length >= 126:
                (length,) = struct.unpack("!H", self._take(2))
            payload = self._take(length)
        except (ConnectionError, EOFError):
            return None
        if head & 0x0F == 8:
            return struct.unpack("!H", payload[:2])[0]
        if head & COMPRESSED:
            payload = zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff")
        return payload.decode()

    def until(self, text):
        """The next message that holds this."""
        while text not in (found := self.next()):
            pass
        return found

    def close_code(self):
        """Read to the end."""
        while isinstance(found := self.next(), str):
            pass
        return found

    def end(self):
        """Vanish."""
        self.raw.close()

    def _take(self, count):
        while len(self._buffer) < count:
            data = self.raw.recv(65_536)
            if not data:
                raise EOFError
            self._buffer += data
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found


@pytest.fixture
def hub(hub_in_thread):
    """The hub; after the test it must serve on, hold nothing, and have logged little."""
    hub_in_thread.lines.clear()
    hub_in_thread.attacks = 0
    yield hub_in_thread
    serves_on(hub_in_thread)
    deadline = time.monotonic() + WITHIN_S
    while any(hub_in_thread.left_over().values()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(hub_in_thread.left_over().values()), hub_in_thread.left_over()
    assert [] == hub_in_thread.lines.tracebacks()
    assert len(hub_in_thread.lines.all()) <= hub_in_thread.attacks, (
        hub_in_thread.lines.all()
    )
    assert [] == hub_in_thread.health.stuck()


def serves_on(hub):
    """Another client subscribes and gets its image."""
    client = Attacker(hub.port)
    client.send(
        frame(
            FINAL | TEXT | COMPRESSED, deflated(b'{"op":"subscribe","symbols":["TCS"]}')
        )
    )
    client.until('"type":"image"')
    client.end()


def resident_bytes():
    """The memory of this process, in which the hub runs."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


BOMB = deflated(b"[" * 40_000_000)
SPACES = deflated(b" " * 40_000_000)


@pytest.mark.parametrize("path", ["/ws", "/socket.io/?EIO=4&transport=websocket"])
@pytest.mark.parametrize("parts", [1, 4])
def test_a_bomb_is_not_inflated(hub, path, parts):
    """A few KB that would be 40 MB: closed with 1009, whole or in fragments, at little cost."""
    path += ("&" if "?" in path else "?") + "compress=deflate"
    attacker = Attacker(hub.port, path)
    assert attacker.agreed
    size = -(-len(BOMB) // parts)
    pieces = [BOMB[n : n + size] for n in range(0, len(BOMB), size)]
    before = resident_bytes()
    for number, piece in enumerate(pieces):
        head = TEXT | COMPRESSED if number == 0 else 0
        attacker.send(frame(head | (FINAL if number == parts - 1 else 0), piece))
    hub.attacks += 1

    assert 1009 == attacker.close_code()
    assert resident_bytes() - before < 4_000_000
    attacker.end()


BROKEN = {
    "reserved block type": b"\x07\xff\xff\xff",
    "random": bytes(range(256)),
    "stored block with a wrong length": b"\x00\x05\x00\x00\x00hello",
    "distance too far back": b"\x4b\x04\x62\x00\xff",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "zlib header": zlib.compress(b'{"op":"ping"}'),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_does_not_inflate_is_closed_or_answered(hub, data):
    """By a typed close or a typed error."""
    attacker = Attacker(hub.port)
    hub.attacks += 1
    attacker.send(frame(FINAL | TEXT | COMPRESSED, data))
    attacker.send(frame(FINAL | TEXT, b'{"op":"ping","id":"after"}'))
    found = attacker.next()
    while (
        isinstance(found, str) and "after" not in found and "bad_message" not in found
    ):
        found = attacker.next()
    attacker.end()

    assert isinstance(found, str) or found in {1002, 1007, 1009}, found


@pytest.mark.parametrize(
    ("path", "offers"),
    [("/ws", True), ("/ws", False), ("/ws?compress=deflate", False)],
)
def test_compressed_frames_without_agreement_are_refused(hub, path, offers):
    """RSV1 means nothing then: 1002."""
    attacker = Attacker(hub.port, path, offers=offers)
    assert not attacker.agreed
    hub.attacks += 1
    attacker.send(frame(FINAL | TEXT | COMPRESSED, deflated(b'{"op":"ping"}')))

    assert 1002 == attacker.close_code()
    attacker.end()


def test_the_bit_belongs_to_the_first_fragment(hub):
    """On a continuation or a ping it breaks the protocol."""
    for data in (
        frame(TEXT, b"{") + frame(FINAL | COMPRESSED, b"}"),
        frame(FINAL | COMPRESSED | 0x09, b"x"),
    ):
        attacker = Attacker(hub.port)
        hub.attacks += 1
        attacker.send(data)
        assert 1002 == attacker.close_code()
        attacker.end()


@FUZZ
@given(
    messages=st.lists(
        st.tuples(
            st.binary(max_size=120)
            | st.binary(max_size=120).map(deflated)
            | st.sampled_from([SPACES, deflated(b"{}")]),
            st.sampled_from([FINAL | TEXT, TEXT, FINAL, 0, FINAL | 0x02]),
            st.booleans(),
        ),
        max_size=6,
    )
)
def test_any_compressed_frames(hub, messages):
    """Whatever comes, the hub serves on (see the fixture)."""
    attacker = Attacker(hub.port)
    hub.attacks += 1
    for payload, head, marked in messages:
        attacker.send(frame(head | (COMPRESSED if marked else 0), payload))
    attacker.raw.settimeout(0.02)
    with contextlib.suppress(OSError):
        attacker.raw.recv(65_536)
    attacker.end()


NUMBERS = (
    st.integers()
    | st.sampled_from([0, 1, -1, 2**53, 2**53 + 1, 2**64, 2**200, 500325])
    | st.floats(allow_nan=False)
    | st.none()
    | st.booleans()
    | st.text(max_size=3)
)
POSITIONS = st.lists(
    st.lists(NUMBERS, max_size=4)
    | st.tuples(
        st.sampled_from([500325, 532540, 999_999]),
        st.sampled_from([0, 1, 2**40, 2**53]),
        st.integers(0, 2**53),
    ).map(list),
    max_size=4,
)
COMMANDS = st.one_of(
    st.fixed_dictionaries(
        {"op": st.just("resume"), "positions": POSITIONS | NUMBERS},
        optional={"every": NUMBERS, "max_hz": NUMBERS, "mode": NUMBERS},
    ),
    st.fixed_dictionaries(
        {"op": st.just("subscribe"), "symbols": st.just(["TCS", "*"])},
        optional={
            "every": st.booleans() | NUMBERS,
            "max_hz": st.sampled_from([0, 1e-9, 1e308, 5]) | NUMBERS,
            "fields": st.lists(st.sampled_from(["last", "bids", "no"]), max_size=3),
        },
    ),
    st.fixed_dictionaries({"op": st.just("rate")}, optional={"max_hz": NUMBERS}),
    st.fixed_dictionaries(
        {"op": st.just("heartbeat")},
        optional={"interval_ms": NUMBERS, "digest": NUMBERS},
    ),
)


def answered(attacker, packets, after, mark):
    """Each command is answered, and the connection lives: the last answer comes. Or a typed close."""
    for packet in packets:
        attacker.send(frame(FINAL | TEXT, packet.encode()))
    attacker.send(frame(FINAL | TEXT, after.encode()))
    while isinstance(found := attacker.next(), str):
        if mark in found:
            return
    assert 4500 == found, found


@FUZZ
@given(commands=st.lists(COMMANDS, max_size=4))
def test_any_return_and_pace_at_the_raw_door(hub, commands):
    """Typed answers, whatever the numbers."""
    attacker = Attacker(hub.port)
    hub.attacks += 1
    after = '{"op":"ping","id":"after"}'
    answered(attacker, map(json.dumps, commands), after, '"id":"after"')
    attacker.end()


@FUZZ
@given(commands=st.lists(COMMANDS, max_size=4))
def test_any_return_and_pace_at_the_socketio_door(hub, commands):
    """The same as events with acknowledgements."""
    attacker = Attacker(hub.port, "/socket.io/?EIO=4&transport=websocket")
    hub.attacks += 1
    events = [
        f"42{n}{json.dumps([c['op'], {k: v for k, v in c.items() if k != 'op'}])}"
        for n, c in enumerate(commands)
    ]
    after = '4299["unsubscribe",{"symbols":["TCS"]}]'
    answered(attacker, ["40", *events], after, "4399[")
    attacker.end()


def http_answer(port, target, headers=(), method=b"GET"):
    """The head of the answer to a request of any bytes, and what follows at once."""
    with socket.create_connection(("127.0.0.1", port), WITHIN_S) as raw:
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        raw.sendall(
            method + b" " + target + b" HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n"
        )
        found = b""
        with contextlib.suppress(ConnectionError):
            while b"\r\n\r\n" not in found:
                part = raw.recv(65_536)
                if not part:
                    break
                found += part
        return found


QUERY = st.dictionaries(
    st.sampled_from(["symbols", "mode", "fields", "max_hz", "every", "x", "symbols[]"]),
    st.text(max_size=20)
    | st.sampled_from(
        ["TCS", "*", "TCS,TCS", ",", "nan", "inf", "-1", "1e-300", "1e400"]
    ),
    max_size=4,
)
VECTORS = (
    st.text("0123456789abcdef-.", max_size=60).map(str.encode)
    | st.binary(max_size=60)
    | st.just(b"-".join([b"f" * 14] * 2))
    | st.just(b".".join([b"1-1"] * 300))
)


@FUZZ
@example(query={"symbols": "TCS", "fields": "no"}, returning=True)
@given(query=QUERY, returning=st.booleans())
def test_any_query_of_a_stream(hub, query, returning):
    """A stream, or a problem that says why not."""
    hub.attacks += 1
    encoded = "&".join(
        f"{quote(k)}={quote(v.encode('utf-8', 'replace'))}" for k, v in query.items()
    )
    headers = [(b"Last-Event-ID", b"1-1")] if returning else []
    head = http_answer(hub.port, b"/sse?" + encoded.encode(), headers)

    assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400")), head


@FUZZ
@given(target=st.binary(max_size=40), name=st.binary(min_size=1, max_size=12))
def test_any_bytes_as_a_request_of_a_stream(hub, target, name):
    """An answer, or the end."""
    hub.attacks += 1
    head = http_answer(hub.port, b"/sse?symbols=TCS&" + target, [(name, target)])

    assert not head or head.startswith(b"HTTP/1.1 "), head
    assert b" 500 " not in head.split(b"\r\n")[0]


@FUZZ
@given(place=VECTORS)
def test_any_last_event_id(hub, place):
    """A place that cannot be is as none. A far one is waited for, but its client may leave."""
    hub.attacks += 1
    target = b"/sse?symbols=TCS"
    if place == b"-".join([b"f" * 14] * 2):
        with socket.create_connection(("127.0.0.1", hub.port), WITHIN_S) as raw:
            raw.sendall(
                b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nLast-Event-ID: "
                b"" + place + b"\r\n\r\n"
            )
        return
    clean = bytes(b for b in place if 32 < b < 127)
    head = http_answer(hub.port, target, [(b"Last-Event-ID", clean)])

    assert head.startswith(b"HTTP/1.1 200"), head


def test_only_a_get_streams(hub):
    """HEAD has no body to wait for; others are refused."""
    answers = {
        method: http_answer(hub.port, b"/sse?symbols=TCS", method=method)
        for method in (b"HEAD", b"POST", b"OPTIONS")
    }
    hub.attacks += len(answers)

    for head in answers.values():
        assert head.startswith(b"HTTP/1.1 405"), head
    assert not asyncio.run_coroutine_threadsafe(_clients(hub), hub.loop).result()


async def _clients(hub):
    return len(hub.clients.all)
