"""The written Engine.IO 4 protocol, statement by statement, over raw HTTP and WebSocket.

https://socket.io/docs/v4/engine-io-protocol names the statements; the last words of each docstring say where this door
does otherwise.
"""

import asyncio
import json

import aiohttp
import pytest


WITHIN_S = 5
POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"


@pytest.fixture
def open_websocket(http):
    """A WebSocket of the door, without a word spoken."""

    def opened(hub, query=WEBSOCKET):
        return http.ws_connect(f"{hub.url}/socket.io/?{query}")

    return opened


@pytest.fixture
async def hasty_hub(start_hub):
    """A hub that pings often, and waits for no pong."""
    hub = await start_hub()
    hub.engine.ping_interval = 0.1
    hub.engine.ping_timeout = 0.1
    return hub


async def status_of(http, hub, query, method="GET"):
    """The HTTP status, and the number in the answer."""
    async with http.request(method, f"{hub.url}/socket.io/?{query}") as answer:
        return answer.status, (await answer.json(content_type=None))["code"]


async def refused(open_websocket, hub, query):
    """The HTTP status instead of a WebSocket."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as found:
        await open_websocket(hub, query)
    return found.value.status


# Handshake.


async def test_the_open_packet_over_polling(hub, http):
    """Five members and no more, as text in UTF-8; the way up is offered."""
    async with http.get(f"{hub.url}/socket.io/?{POLLING}") as answer:
        text = await answer.text()
        kind = answer.headers["Content-Type"]
    opened = json.loads(text[1:])

    assert (200, "0") == (answer.status, text[0])
    assert "text/plain; charset=UTF-8" == kind
    assert {
        "sid": opened["sid"],
        "upgrades": ["websocket"],
        "pingInterval": 20_000,
        "pingTimeout": 20_000,
        "maxPayload": 65_536,
    } == opened
    assert isinstance(opened["sid"], str)
    assert len(opened["sid"]) >= 20


async def test_the_open_packet_over_a_websocket(hub, open_websocket):
    """The same, but that nothing is left to upgrade to."""
    async with open_websocket(hub) as ws:
        text = await ws.receive_str()
    opened = json.loads(text[1:])

    assert "0" == text[0]
    assert {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"} == set(
        opened
    )
    assert [] == opened["upgrades"]


async def test_every_session_has_its_own_id(hub, polling):
    """Which nobody can guess."""
    sids = {(await polling(hub).open(connect=False)).sid for _ in range(20)}
    assert 20 == len(sids)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("transport={}", 5),
        ("EIO=&transport={}", 5),
        ("EIO=abc&transport={}", 5),
        ("EIO=3&transport={}", 5),
        ("EIO=5&transport={}", 5),
        ("EIO=4", 0),
        ("EIO=4&transport=abc", 0),
        ("EIO=4&transport={}&sid=nobody", 1),
    ],
)
async def test_a_wrong_handshake(hub, http, open_websocket, query, code):
    """400 over both transports, with the number of what is wrong."""
    assert (400, code) == await status_of(http, hub, query.format("polling"))
    assert 400 == await refused(open_websocket, hub, query.format("websocket"))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_session_begins_with_get(hub, http, method):
    """Any other method without a session is the wrong one."""
    assert (400, 2) == await status_of(http, hub, POLLING, method)


# Messages.


async def test_packets_of_a_payload_are_separated(engine):
    """By the record separator, both ways; a POST is answered `ok`."""
    await engine.get()
    answer = await engine.post(
        '421["rate",{"max_hz":null}]\x1e422["rate",{"max_hz":null}]\x1e423["rate",{"max_hz":null}]'
    )
    _, packets = await engine.get()
    while not packets[-1].startswith("433"):
        packets += (await engine.get())[1]

    assert (200, "ok") == answer
    assert ["431", "432", "433"] == [p[:3] for p in packets if p[:2] == "43"]


async def test_a_binary_packet_over_polling_is_refused(engine):
    """The protocol carries it as base64; here a client has nothing binary to say, and the session ends."""
    assert 400 == (await engine.post("bAQIDBA=="))[0]
    assert 400 == (await engine.get())[0]


async def test_a_binary_packet_over_a_websocket_is_answered(hub, websocket):
    """The protocol carries it; here it is an error that names what is spoken."""
    async with websocket(hub) as ws:
        await ws.send_bytes(b"\x01\x02\x03\x04")
        answer = await ws.receive_str()

    assert answer.startswith('42["error",{"reason":"bad_message"')


@pytest.mark.parametrize("packet", ["abc", "7", "4abc", ""])
async def test_an_invalid_packet_ends_the_session(hub, websocket, engine, packet):
    """Over a WebSocket with 1002, over polling with 400."""
    assert 400 == (await engine.post(packet))[0]
    assert 400 == (await engine.get())[0]
    async with websocket(hub) as ws:
        await ws.send_str(packet)
        closed = await ws.receive(WITHIN_S)

    assert 1002 == closed.data


async def test_more_than_the_largest_payload_ends_the_session(hub, engine, websocket):
    """The open packet has named the limit."""
    assert 413 == (await engine.post("4" + "2" * 65_536))[0]
    async with websocket(hub) as ws:
        await ws.send_str("4" + "2" * 65_536)
        closed = await ws.receive(WITHIN_S)

    assert 1009 == closed.data


# Heartbeat.


async def test_the_server_pings_and_the_client_pongs_over_polling(hasty_hub, polling):
    """As often as the open packet said, for as long as pongs come."""
    engine = await polling(hasty_hub).open(connect=False)
    found = []
    for _ in range(3):
        found.append(await engine.get())
        assert (200, "ok") == await engine.post("3")

    assert [(200, ["2"])] * 3 == found


async def test_the_server_pings_and_the_client_pongs_over_a_websocket(
    hasty_hub, open_websocket
):
    """The same."""
    async with open_websocket(hasty_hub) as ws:
        await ws.receive_str()
        found = []
        for _ in range(3):
            found.append(await ws.receive_str())
            await ws.send_str("3")

    assert ["2"] * 3 == found


async def test_who_sends_no_pong_is_gone_over_polling(hasty_hub, polling, until):
    """Interval and timeout later the session is unknown."""
    engine = await polling(hasty_hub).open(connect=False)
    assert ["2"] == (await engine.get())[1]
    await until(lambda: not any(hasty_hub.left_over().values()))

    assert (400, '{"code": 1, "message": "Session ID unknown"}') == await engine.post(
        "3"
    )


async def test_who_sends_no_pong_is_closed_over_a_websocket(
    hasty_hub, open_websocket, until
):
    """The same."""
    async with open_websocket(hasty_hub) as ws:
        await ws.receive_str()
        assert "2" == await ws.receive_str()
        closed = await ws.receive(WITHIN_S)
        assert closed.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
    await until(lambda: not any(hasty_hub.left_over().values()))


# Close.


async def test_a_close_packet_ends_the_poll_that_waits(hub, polling, until):
    """With a noop; then the session is unknown."""
    engine = await polling(hub).open(connect=False)
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(engine.get())
        await until(lambda: engine.sid in hub.service.asgi.others._polling)
        answer = await engine.post("1")

    assert (200, "ok") == answer
    assert (200, ["6"]) == poll.result()
    assert 400 == (await engine.get())[0]


async def test_a_close_packet_ends_the_websocket(hub, open_websocket, until):
    """By a close frame."""
    async with open_websocket(hub) as ws:
        await ws.receive_str()
        await ws.send_str("1")
        closed = await ws.receive(WITHIN_S)

    assert 1000 == closed.data
    await until(lambda: not any(hub.left_over().values()))


# Upgrade.


async def test_the_way_up(hub, engine, http, until):
    """Probe, its answer, a noop for the poll that waits, upgrade; then the WebSocket carries it all."""
    await engine.get()
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(engine.get())
        await until(lambda: engine.sid in hub.service.asgi.others._polling)
        ws = await http.ws_connect(engine.url.replace("polling", "websocket"))
        await ws.send_str("2probe")
        probe = await ws.receive_str()
    await ws.send_str("5")
    await ws.send_str('421["rate",{"max_hz":null}]')
    while not (answer := await ws.receive_str()).startswith("431"):
        pass

    assert "3probe" == probe
    assert "6" == poll.result()[1][-1]
    assert '431[{"type":"rate","id":null,"max_hz":null}]' == answer


async def test_an_upgraded_session_takes_nothing_else(engine, http):
    """Neither a poll, nor a POST, nor a second WebSocket, which do not end it either."""
    url = engine.url.replace("polling", "websocket")
    ws = await http.ws_connect(url)
    await ws.send_str("2probe")
    await ws.receive_str()
    await ws.send_str("5")
    await ws.send_str('421["rate",{"max_hz":null}]')
    while not (await ws.receive_str()).startswith("431"):
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError) as second:
        await http.ws_connect(url)
    others = [await engine.get(), await engine.post("3")]
    await ws.send_str('422["rate",{"max_hz":null}]')
    while not (await ws.receive_str()).startswith("432"):
        pass

    assert [400, 400, 400] == [second.value.status, *(status for status, _ in others)]
