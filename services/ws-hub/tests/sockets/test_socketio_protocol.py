"""The written Socket.IO 5 protocol, statement by statement, over a raw WebSocket.

https://socket.io/docs/v4/socket-io-protocol names the statements; the last words of each docstring say where this door
does otherwise.
"""

import json

import aiohttp
import pytest
import socketio

from bse_ws_hub.hub.disconnects import REVOKED, SLOW_CONSUMER, TAKEN_OVER
from bse_ws_hub.sockets import socketio_door


WITHIN_S = 5


@pytest.fixture
async def fresh(hub, http):
    """An Engine.IO session that has not named a namespace."""
    async with http.ws_connect(f"{hub.url}/socket.io/?EIO=4&transport=websocket") as ws:
        ws.sid = json.loads((await ws.receive_str())[1:])["sid"]
        yield ws


async def until_packet(ws, begin):
    """The next packet that begins so."""
    while not (found := await ws.receive_str()).startswith(begin):
        pass
    return found


async def closed(ws):
    """Read to the end; the close code."""
    while (found := await ws.receive(WITHIN_S)).type is aiohttp.WSMsgType.TEXT:
        pass
    return found.data


# Connect.


@pytest.mark.parametrize("connect", ["40", '40{"any":"thing"}', "40{}", "40/,"])
async def test_connecting_to_the_main_namespace(fresh, connect):
    """The answer has a session id of its own and comes first, whatever the payload."""
    await fresh.send_str(connect)
    first = await fresh.receive_str()
    answer = json.loads(first[2:])

    assert "40" == first[:2]
    assert {"sid"} == set(answer)
    assert fresh.sid != answer["sid"]


@pytest.mark.parametrize("name", ["/custom", "/random"])
async def test_there_is_no_other_namespace(fresh, name):
    """The refusal names it; the main one may still be connected to."""
    await fresh.send_str(f"40{name},")
    assert f'44{name},{{"message":"Invalid namespace"}}' == await fresh.receive_str()
    await fresh.send_str("40")
    assert (await fresh.receive_str()).startswith('40{"sid"')


async def test_a_refusal_says_why(start_hub, http):
    """`message`, and details in `data`."""
    hub = await start_hub({"mode": "optional"})
    async with http.ws_connect(f"{hub.url}/socket.io/?EIO=4&transport=websocket") as ws:
        await ws.receive_str()
        await ws.send_str('40{"token":"forged"}')
        told = await ws.receive_str()

    assert "44" == told[:2]
    refusal = json.loads(told[2:])
    assert "token_refused" == refusal["message"]
    assert "token_refused" == refusal["data"]["reason"]


async def test_a_second_connect_changes_nothing(hub, websocket):
    """The protocol ends the connection; here it is an error, and the first goes on."""
    async with websocket(hub) as ws:
        await ws.send_str("40")
        assert '"reason":"bad_message"' in await until_packet(ws, '42["error"')
        await ws.send_str('421["rate",{"max_hz":null}]')
        await until_packet(ws, "431")


async def test_who_does_not_connect_is_closed(fresh, hub, http, monkeypatch):
    """The protocol's connect timeout."""
    monkeypatch.setattr(socketio_door, "CONNECT_WITHIN_S", 0.05)
    async with http.ws_connect(
        f"{hub.url}/socket.io/?EIO=4&transport=websocket"
    ) as late:
        await late.receive_str()
        assert 4500 == await closed(late)
    await fresh.send_str("40")
    assert (await fresh.receive_str()).startswith("40")


async def test_an_event_before_connecting_is_not_carried_out(hub, fresh):
    """Nor answered; the connection stays open for the CONNECT."""
    await fresh.send_str('421["rate",{"max_hz":null}]')
    await fresh.send_str("40")

    assert (await fresh.receive_str()).startswith("40")
    assert [] == [p for p in [await fresh.receive_str()] if p.startswith("431")]
    assert 1 == len(hub.clients.all)


async def test_what_is_no_packet_ends_the_connection(fresh):
    """Before the namespace and after."""
    await fresh.send_str("4abc")
    assert 1002 == await closed(fresh)


# Disconnect.


async def test_leaving_the_namespace_keeps_the_connection(hub, websocket, until):
    """One may come back on it, as another session."""
    async with websocket(hub) as ws:
        (before,) = hub.clients.all
        await ws.send_str("41")
        await until(lambda: not hub.clients.all)
        await ws.send_str("40")
        await until_packet(ws, '40{"sid"')
        await until(lambda: hub.clients.all)
        (after,) = hub.clients.all

    assert before != after


async def test_who_may_come_back_loses_the_transport(hub, websocket):
    """`goodbye`, then the close frame: official clients reconnect by themselves."""
    async with websocket(hub) as ws:
        await hub.service.drain()
        goodbye = await until_packet(ws, '42["goodbye"')
        end = await ws.receive(WITHIN_S)

    assert '"reason":"going_away"' in goodbye
    assert aiohttp.WSMsgType.CLOSE == end.type
    assert end.data in {1000, 1001}


async def test_the_close_frame_says_why_once_it_is_written_to_directly(
    hub, websocket, until
):
    """As at the raw door."""
    async with websocket(hub) as ws:
        (client,) = hub.clients.all.values()
        await until(lambda: client.outlet._direct is not None)
        hub.clients.close(client, SLOW_CONSUMER)
        await until_packet(ws, '42["goodbye"')
        end = await ws.receive(WITHIN_S)
        assert (4008, "slow_consumer") == (end.data, end.extra)
    await until(lambda: not any(hub.left_over().values()))


async def test_over_polling_the_session_ends_soon(hub, polling, until):
    """The `goodbye` is the last that it takes; then it is unknown."""
    engine = await polling(hub).open()
    (client,) = hub.clients.all.values()
    hub.clients.close(client, SLOW_CONSUMER)
    await until(lambda: not hub.door._by_session)
    packets = []
    while (found := await engine.get())[0] == 200:
        packets += [p for p in found[1] if p != "6"]

    assert packets[-1].startswith('42["goodbye",{"reason":"slow_consumer"')
    assert not any(hub.left_over().values())


@pytest.mark.parametrize("why", [REVOKED, TAKEN_OVER])
async def test_who_may_not_come_back_is_disconnected(hub, websocket, until, why):
    """By the packet that stops official clients from reconnecting; the transport ends, too."""
    async with websocket(hub) as ws:
        (client,) = hub.clients.all.values()
        hub.clients.close(client, why)
        await until_packet(ws, '42["goodbye"')
        assert "41" == await ws.receive_str()
        await ws.receive(WITHIN_S)
    await until(lambda: not any(hub.left_over().values()))


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_an_official_client_comes_back_by_itself(hub, http, until, transport):
    """Without a word of its application."""
    client = socketio.AsyncClient(http_session=http, reconnection_delay=0.01)
    await client.connect(hub.url, transports=[transport])
    (first,) = await until(lambda: list(hub.clients.all.values()))
    hub.clients.close(first, SLOW_CONSUMER)
    (second,) = await until(
        lambda: [c for c in hub.clients.all.values() if c is not first]
    )
    await client.disconnect()

    assert first.number != second.number


# Events and acknowledgements.


@pytest.mark.parametrize("number", [0, 1, 456, 999_999_999_999_999])
async def test_an_event_with_a_number_is_acknowledged_with_it(hub, websocket, number):
    """Exactly once, as an array of one."""
    async with websocket(hub) as ws:
        await ws.send_str(f'42{number}["rate",{{"max_hz":4}}]')
        answer = await until_packet(ws, "43")

    assert f'43{number}[{{"type":"rate","id":null,"max_hz":4.0}}]' == answer


@pytest.mark.parametrize("space", ["", "/,"])
async def test_an_event_without_a_number_is_not_acknowledged(hub, websocket, space):
    """What it does is done; the main namespace may be named."""
    async with websocket(hub) as ws:
        await ws.send_str(f'42{space}["subscribe",{{"symbols":["TCS"]}}]')
        packets = []
        while not packets or not packets[-1].startswith('42["image"'):
            packets.append(await ws.receive_str())

    assert not [p for p in packets if p.startswith("43")]


async def test_a_binary_event_is_refused_with_its_attachments(hub, websocket):
    """The protocol carries it; here nothing is kept of it, and the connection goes on."""
    async with websocket(hub) as ws:
        await ws.send_str('451-7["subscribe",{"_placeholder":true,"num":0}]')
        await ws.send_bytes(b"\x01\x02\x03")
        errors = [await until_packet(ws, '42["error"') for _ in range(2)]
        await ws.send_str('421["rate",{"max_hz":null}]')
        await until_packet(ws, "431")

    assert all("only text" in e or "not a Socket.IO text" in e for e in errors)


@pytest.mark.parametrize("packet", ["42{}", '42abc["rate",{}]', "42", '42["rate"'])
async def test_an_event_of_a_wrong_form_is_answered(hub, websocket, packet):
    """The protocol ends the connection at the first; here at the tenth, and an error says what was wrong."""
    async with websocket(hub) as ws:
        for _ in range(10):
            await ws.send_str(packet)
        errors = [await until_packet(ws, '42["error"') for _ in range(10)]
        await until_packet(ws, "41")

    assert all('"reason":"bad_message"' in e for e in errors)


async def test_an_acknowledgement_of_nothing_is_refused(hub, websocket):
    """The protocol passes it over; the hub asks for none, and says so."""
    async with websocket(hub) as ws:
        await ws.send_str("439[]")
        assert '"reason":"bad_message"' in await until_packet(ws, '42["error"')
