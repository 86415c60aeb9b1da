"""Bytes of an enemy at both doors. The hub refuses or closes, serves on, forgets, and keeps its log short."""

import asyncio
import base64
import contextlib
import http.client
import json
import os
import socket
import struct
import time

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bse_ws_hub.hub.commands import (
    BadCommand,
    command_from_json,
    command_from_msgpack,
    command_from_object,
)
from bse_ws_hub.sockets.socketio_packets import parse_event, parse_packet


FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WITHIN_S = 5


class Attacker:
    """A blocking WebSocket client that sends any bytes."""

    def __init__(self, port, path="/ws", protocol="bse.v1.json"):
        self.raw = socket.create_connection(("127.0.0.1", port), WITHIN_S)
        self.raw.settimeout(WITHIN_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {protocol}\r\n"
            "\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.raw.recv(1)
        assert head.startswith(b"HTTP/1.1 101"), head

    def send(self, data):
        """Bytes as they are; the hub may have closed already."""
        with contextlib.suppress(ConnectionError):
            self.raw.sendall(data)

    def closed_within(self, seconds):
        """Whether the hub ends the connection by itself."""
        deadline = time.monotonic() + seconds
        self.raw.settimeout(seconds)
        try:
            while self.raw.recv(65_536):
                assert time.monotonic() < deadline
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def end(self):
        """Vanish."""
        self.raw.close()


def frame(head, payload=b"", *, length=None, masked=True, declared=None):
    """A client's frame, with whatever is wrong in it."""
    mask = 0x80 if masked else 0
    length = len(payload) if declared is None else declared
    if length < 126:
        start = struct.pack("!BB", head, mask | length)
    elif length < 65_536:
        start = struct.pack("!BBH", head, mask | 126, length)
    else:
        start = struct.pack("!BBQ", head, mask | 127, length)
    return start + (bytes(4) if masked else b"") + payload


@pytest.fixture
def hub(hub_in_thread):
    """The hub; after the test it must serve on, hold nothing, and have logged little."""
    hub_in_thread.lines.clear()
    hub_in_thread.attacks = 0
    tasks = len(asyncio.all_tasks(hub_in_thread.loop))
    yield hub_in_thread
    serves_on(hub_in_thread)
    deadline = time.monotonic() + WITHIN_S
    while any(hub_in_thread.left_over().values()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(hub_in_thread.left_over().values()), hub_in_thread.left_over()
    assert [] == hub_in_thread.lines.tracebacks()
    assert len(hub_in_thread.lines.all()) <= hub_in_thread.attacks
    assert len(asyncio.all_tasks(hub_in_thread.loop)) <= tasks + 2
    assert [] == hub_in_thread.health.stuck()


def serves_on(hub):
    """Another client subscribes and gets its image."""
    client = Attacker(hub.port)
    client.send(frame(0x81, b'{"op":"subscribe","symbols":["TCS"]}'))
    found = b""
    while b'"type":"image"' not in found:
        found += client.raw.recv(65_536)
    client.end()


def attack(hub, data, **options):
    """One connection that sends this, and is gone."""
    hub.attacks += 1
    attacker = Attacker(hub.port, **options)
    attacker.send(data)
    attacker.raw.settimeout(0.02)
    with contextlib.suppress(OSError):
        attacker.raw.recv(65_536)
    attacker.end()


NASTY_FRAMES = {
    "unmasked": frame(0x81, b"{}", masked=False),
    "reserved bits": frame(0xF1, b"{}"),
    "reserved opcode": frame(0x8B, b"{}"),
    "long ping": frame(0x89, bytes(126)),
    "fragmented ping": frame(0x09, b""),
    "continuation of nothing": frame(0x80, b"x"),
    "text in a text": frame(0x01, b"x") + frame(0x81, b"x"),
    "length with the top bit": b"\x81\xff" + b"\xff" * 8 + bytes(4),
    "declared 2^62 bytes": frame(0x82, b"", declared=2**62),
    "declared 1 GB": frame(0x82, b"abc", declared=2**30),
    "over the limit": frame(0x81, b"x" * 70_000),
    "over the limit in parts": frame(0x01, b"x" * 60_000) + frame(0x80, b"x" * 60_000),
    "invalid UTF-8": frame(0x81, b"\xff"),
    "cut UTF-8 in fragments": frame(0x01, b"\xe2\x82") + frame(0x80, b""),
    "surrogates": frame(0x81, b"\xed\xa0\x80"),
    "many fragments": frame(0x01, b"x") + frame(0x00, b"x") * 100,
    "empty continuations": frame(0x01) + frame(0x00) * 100_000,
    "close code 1005": frame(0x88, struct.pack("!H", 1005)),
    "close code 0": frame(0x88, b"\x00\x00"),
    "close of one byte": frame(0x88, b"\x03"),
    "close with invalid UTF-8": frame(0x88, b"\x03\xe8\xff"),
}


@pytest.mark.parametrize("data", NASTY_FRAMES.values(), ids=NASTY_FRAMES)
@pytest.mark.parametrize("path", ["/ws", "/socket.io/?EIO=4&transport=websocket"])
def test_frames_that_break_the_protocol_are_closed(hub, data, path):
    """Within a second, by the hub, at either door."""
    hub.attacks += 1
    attacker = Attacker(hub.port, path=path)
    attacker.send(data)

    assert attacker.closed_within(1)
    attacker.end()


NASTY_MESSAGES = {
    "deep": b"[" * 60_000,
    "deep in a member": b'{"op":"ping","id":' + b"[" * 60_000,
    "deep maps": b'{"a":' * 12_000,
    "long integer": b'{"op":"ping","id":' + b"9" * 5000 + b"}",
    "NaN": b'{"op":"ping","id":NaN}',
    "infinity": b'{"op":"ping","id":1e999}',
    "lone surrogate": b'{"op":"ping","id":"\\ud800"}',
    "duplicate keys": b'{"op":"ping","op":"pong"}',
    "NUL": b'{"op":"ping","id":"\\u0000"}',
    "prototype": b'{"__proto__":{"op":"ping"}}',
    "empty": b"",
    "many symbols": json.dumps({"op": "subscribe", "symbols": ["A"] * 12_000}).encode(),
    "long symbol": json.dumps({"op": "subscribe", "symbols": ["A" * 60_000]}).encode(),
    "long unknown member": b'{"op":"ping","' + b"x" * 60_000 + b'":1}',
    "hostile symbols": json.dumps(
        {
            "op": "subscribe",
            "symbols": ["\r\nSET a b", "\0", "{x}", "٣", "²", "\x1b[2J"],
        }
    ).encode(),
}


@pytest.mark.parametrize("data", NASTY_MESSAGES.values(), ids=NASTY_MESSAGES)
def test_hostile_json_is_answered(hub, data):
    """A typed answer, and the next command is carried out."""
    hub.attacks += 1
    attacker = Attacker(hub.port)
    attacker.send(frame(0x81, data) + frame(0x81, b'{"op":"ping","id":"after"}'))
    found = b""
    while b'"id":"after"' not in found:
        part = attacker.raw.recv(65_536)
        assert part
        found += part
    attacker.end()

    assert len(found) < 3000


PACKED = {
    "array32 of 4 G": b"\x82\xa2op\xa9subscribe\xa7symbols\xdd\xff\xff\xff\xff",
    "map32 of 4 G": b"\xdf\xff\xff\xff\xff",
    "bin32 of 4 G": b"\xc6\xff\xff\xff\xff",
    "ext": b"\x82\xa2op\xa4ping\xa2id\xd4\x01\x02",
    "timestamp": b"\x82\xa2op\xa4ping\xa2id\xd6\xff\x00\x00\x00\x00",
    "int keys": b"\x81\x01\x02",
    "float keys": b"\x81\xcb" + bytes(8) + b"\x02",
    "deep": b"\x91" * 60_000,
    "deep member": b"\x81\xa1x" + b"\x91" * 60_000,
    "invalid UTF-8": b"\x82\xa2op\xa4ping\xa2id\xa2\xff\xfe",
    "invalid UTF-8 in the op": b"\x81\xa2op\xa2\xff\xfe",
    "never used byte": b"\xc1",
    "empty": b"",
    "largest integer": b"\x82\xa2op\xa4ping\xa2id\xcf" + b"\xff" * 8,
    "NaN": b"\x82\xa2op\xa4ping\xa2id\xcb\x7f\xf8" + bytes(6),
    "more than one": msgpack.packb({"op": "ping"}) * 2,
}


@pytest.mark.parametrize("data", PACKED.values(), ids=PACKED)
def test_hostile_messagepack_is_answered(hub, data):
    """A typed answer, and the next command is carried out."""
    hub.attacks += 1
    attacker = Attacker(hub.port, protocol="bse.v1.msgpack")
    after = msgpack.packb({"op": "ping", "id": "after"})
    attacker.send(frame(0x82, data) + frame(0x82, after))
    found = b""
    while b"after" not in found:
        part = attacker.raw.recv(65_536)
        assert part
        found += part
    attacker.end()

    assert b"bad_message" in found


FRAMES = st.lists(
    st.builds(
        frame,
        st.integers(0, 255),
        st.binary(max_size=200) | st.text(max_size=50).map(str.encode),
        masked=st.booleans(),
        declared=st.none() | st.integers(0, 2**63 - 1),
    )
    | st.binary(max_size=40),
    max_size=12,
).map(b"".join)


@FUZZ
@given(data=FRAMES)
def test_any_frames_at_the_raw_door(hub, data):
    """Whatever comes, the hub serves on (see the fixture)."""
    attack(hub, data)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["op", "id", "symbols", "mode"]) | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@FUZZ
@given(message=JSON, protocol=st.sampled_from(["bse.v1.json", "bse.v1.msgpack"]))
def test_any_value_at_the_raw_door(hub, message, protocol):
    """Well-formed values of any shape."""
    if protocol == "bse.v1.json":
        payload, head = json.dumps(message).encode("utf-8", "replace"), 0x81
    else:
        with contextlib.suppress(OverflowError, UnicodeEncodeError):
            payload, head = msgpack.packb(message), 0x82
            attack(hub, frame(head, payload), protocol=protocol)
        return
    attack(hub, frame(head, payload), protocol=protocol)


ENGINE_PACKETS = st.one_of(
    st.text(max_size=30),
    st.builds(
        "{}{}{}".format,
        st.sampled_from("0123456789b"),
        st.sampled_from(["", "0", "1", "2", "51-", "5999999999-", "61-", "40/x,", "7"]),
        st.text(max_size=10) | JSON.map(json.dumps),
    ),
    st.builds(
        lambda event, data: "42" + json.dumps([event, *data]),
        st.sampled_from(
            ["subscribe", "unsubscribe", "connect", "disconnect", "*", "message"]
        )
        | st.text(max_size=5),
        st.lists(JSON, max_size=3),
    ),
)


def utf8(text):
    """Text as bytes, lone surrogates and all."""
    return text.encode("utf-8", "surrogatepass")


@FUZZ
@given(packets=st.lists(ENGINE_PACKETS, max_size=8), connected=st.booleans())
def test_any_packets_at_the_socketio_door(hub, packets, connected):
    """Over a WebSocket, before and after the namespace is connected."""
    sent = (["40"] if connected else []) + packets
    attack(
        hub,
        b"".join(frame(0x81, utf8(packet)) for packet in sent),
        path="/socket.io/?EIO=4&transport=websocket",
    )


@FUZZ
@given(
    body=st.lists(ENGINE_PACKETS, max_size=20).map("\x1e".join).map(utf8)
    | st.binary(max_size=200)
)
def test_any_payload_by_polling(hub, body):
    """What is refused ends the session; what is taken is answered."""
    hub.attacks += 1
    path = "/socket.io/?EIO=4&transport=polling"
    link = http.client.HTTPConnection("127.0.0.1", hub.port, WITHIN_S)
    _, opened = request(link, "GET", path)
    path += f"&sid={json.loads(opened[1:])['sid']}"
    request(link, "POST", path, b"40")
    status, _ = request(link, "POST", path, body)
    if status == 200:
        request(link, "POST", path, b"1")
    link.close()

    assert status in {200, 400}


def request(link, method, path, body=None):
    """One HTTP request on a kept connection: (status, body)."""
    link.request(method, path, body)
    answer = link.getresponse()
    return answer.status, answer.read()


@FUZZ
@given(
    line=st.binary(max_size=60),
    header=st.binary(max_size=60),
    path=st.binary(max_size=60),
)
def test_any_handshake(hub, line, header, path):
    """Requests that are almost an upgrade."""
    hub.attacks += 1
    with socket.create_connection(("127.0.0.1", hub.port), WITHIN_S) as raw:
        raw.settimeout(0.02)
        raw.sendall(
            b"GET /ws?" + path + b" HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: " + line + b"\r\nX: " + header + b"\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            raw.recv(65_536)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_command_or_a_bad_command(data):
    """No other error leaves the decoders."""
    for decode in (command_from_json, command_from_msgpack):
        with contextlib.suppress(BadCommand):
            decode(data)


@given(st.text(max_size=100) | ENGINE_PACKETS | st.binary(max_size=50))
def test_any_text_is_a_packet_or_a_bad_command(data):
    """No other error leaves the Socket.IO parser."""
    with contextlib.suppress(BadCommand):
        packet = parse_packet(data)
        command_from_object(*parse_event(packet.data))


def test_a_neighbour_is_served_during_a_flood_of_fragments(hub):
    """A million empty fragments cost their sender its connection, and nobody else anything."""
    hub.attacks += 1
    attacker = Attacker(hub.port)
    started = time.monotonic()
    attacker.send(frame(0x01) + frame(0x00) * 1_000_000)
    assert attacker.closed_within(2)
    attacker.end()
    serves_on(hub)

    assert time.monotonic() - started < 2
