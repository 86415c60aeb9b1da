"""permessage-deflate: asked for, agreed on, made once, and never a way to make the hub swell."""

import json
import zlib

import pytest

from bse_shared.testing.builders import RELIANCE, TCS, a_quote
from bse_ws_hub.sockets.raw_door import CODECS


ASK = "permessage-deflate; client_max_window_bits"


@pytest.mark.parametrize("protocol", ["bse.v1.json", "bse.v1.msgpack"])
async def test_a_client_that_asks_gets_compressed_frames(
    hub, market, connect, protocol
):
    """The client's own library inflates them; updates follow as usual."""
    client = await connect(
        hub, query="?compress=deflate", compress=15, protocols=(protocol,)
    )
    assert client.socket.compress
    await client.send(op="subscribe", symbols=["RELIANCE", "TCS"], mode="full")
    image = await client.until("image" if protocol.endswith("json") else 1)
    await market.report({RELIANCE.code: a_quote(4_242), TCS.code: a_quote()})
    await client.until("update" if protocol.endswith("json") else 2)
    (session,) = hub.clients.hub.sessions.values()

    assert image
    assert CODECS[protocol, True] is session.codec


@pytest.mark.parametrize(("query", "compress"), [("", 15), ("?compress=deflate", 0)])
async def test_an_offer_alone_or_a_wish_alone_is_no_agreement(
    hub, connect, query, compress
):
    """Browsers always offer: the wish stands in the address."""
    client = await connect(hub, query=query, compress=compress)
    await client.send(op="subscribe", symbols=["TCS"])
    await client.until("image")

    assert not client.socket.compress


async def test_a_large_frame_is_small_on_the_wire_and_bounded_in_window(hub, http):
    """A subscriber's first images, seen as bytes: RSV1 set, no context taken over, less than half."""
    socket = await http.ws_connect(
        f"{hub.url}/ws?compress=deflate", compress=15, protocols=("bse.v1.json",)
    )
    headers = socket._response.headers["Sec-WebSocket-Extensions"]
    payload = json.dumps({"op": "subscribe", "symbols": ["*"] * 50}).encode()
    wire = CODECS["bse.v1.json", True].wire(payload)
    inflated = zlib.decompressobj(-15).decompress(wire[2:] + b"\x00\x00\xff\xff")

    assert "server_no_context_takeover" in headers
    assert "client_no_context_takeover" in headers
    assert 0xC1 == wire[0]
    assert payload == inflated
    assert len(wire) < len(payload) / 2


async def test_what_inflates_beyond_the_limit_is_refused(hub, http):
    """A bomb of some kilobytes ends the connection, as too big."""
    socket = await http.ws_connect(f"{hub.url}/ws?compress=deflate", compress=15)
    await socket.send_str("x" * 5_000_000)
    while not (await socket.receive(5)).type.name.startswith("CLOS"):
        pass

    assert 1009 == socket.close_code


async def test_socketio_frames_are_compressed_too(hub, http, until):
    """A session born on a WebSocket, once it is written to directly."""
    socket = await http.ws_connect(
        f"{hub.url}/socket.io/?EIO=4&transport=websocket&compress=deflate", compress=15
    )
    assert (await socket.receive(5)).data.startswith("0")
    await socket.send_str("40")
    await until(
        lambda: [
            s
            for s in hub.clients.hub.sessions.values()
            if s.codec.name == "socketio+deflate"
        ]
    )
    await socket.send_str(
        '420["subscribe",{"symbols":["RELIANCE","TCS"],"mode":"full"}]'
    )
    seen = ""
    while '42["image"' not in seen:
        seen = (await socket.receive(5)).data

    assert "RELIANCE" in seen
