"""What stands before python-engineio lets through, and what it refuses by number."""

import asyncio
import json

import aiohttp
import pytest

from bse_ws_hub.sockets import socketio_door


WITHIN_S = 5


@pytest.mark.parametrize(
    "body",
    [
        "",
        "x",
        "9",
        "4",
        "4x",
        "0",
        "6",
        "2probe",
        "b!!!",
        "bAAAA",
        "d=4",
        "4" + "[" * 60_000,
        "\x1e".join(["3"] * 17),
        "42[]\x1e",
        b"\xff\xfe",
        "4" * 70_000,
        "4" + "0" * 65_600,
    ],
)
async def test_a_broken_payload_ends_the_session(hub, engine, until, log_lines, body):
    """With a typed refusal, no traceback, and nothing left."""
    status, text = await engine.post(body)
    again, _ = await engine.get()
    await until(lambda: not any(hub.left_over().values()))

    assert status in {400, 413}
    assert 3 == json.loads(text)["code"]
    assert 400 == again
    assert [] == log_lines.all()


@pytest.mark.parametrize(
    ("method", "query", "status", "code"),
    [
        ("GET", "EIO=3&transport=polling", 400, 5),
        ("GET", "transport=polling", 400, 5),
        ("GET", "EIO=4&EIO=3&transport=polling", 400, 5),
        ("GET", "EIO=4&transport=carrier-pigeon", 400, 0),
        ("GET", "EIO=4&transport=websocket", 400, 0),
        ("GET", "EIO=4&transport=polling&j=0", 400, 3),
        ("GET", "EIO=4&transport=polling&sid=nobody", 400, 1),
        ("GET", "EIO=4&transport=polling&sid=a&sid=b", 400, 3),
        ("POST", "EIO=4&transport=polling", 400, 2),
        ("DELETE", "EIO=4&transport=polling", 400, 2),
        ("GET", "EIO=4&transport=polling&" + "a=1&" * 100, 400, 5),
    ],
)
async def test_wrong_requests_are_refused_by_number(
    hub, http, log_lines, method, query, status, code
):
    """As the Engine.IO protocol numbers them; no session begins."""
    async with http.request(method, f"{hub.url}/socket.io/?{query}") as answer:
        found = (answer.status, (await answer.json())["code"])

    assert (status, code) == found
    assert 0 == len(hub.engine.sockets)
    assert [] == log_lines.all()


async def test_of_two_polls_none_takes_the_others_packets(hub, engine, until):
    """The second is refused, and the session ended: the client begins anew with images."""
    await engine.get()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(engine.get())
        await until(lambda: engine.sid in hub.service.asgi.others._polling)
        second = await engine.get()
    await until(lambda: not any(hub.left_over().values()))

    assert 400 == second[0]
    assert 200 == first.result()[0]


async def test_a_second_websocket_on_a_session_is_refused(engine, http):
    """While the first upgrades, and after it has."""
    url = engine.url.replace("polling", "websocket")
    first = await http.ws_connect(url)
    await first.send_str("2probe")
    probe = await first.receive_str()
    with pytest.raises(aiohttp.WSServerHandshakeError) as during:
        await http.ws_connect(url)
    await first.send_str("5")
    await first.send_str('421["subscribe",{"symbols":["TCS"]}]')
    while not (await first.receive_str()).startswith("431"):
        pass
    with pytest.raises(aiohttp.WSServerHandshakeError) as after:
        await http.ws_connect(url)
    status, _ = await engine.get()

    assert "3probe" == probe
    assert [400] * 3 == [during.value.status, after.value.status, status]


@pytest.mark.parametrize("first", ["", "hello", "40", "5", "2prob", None])
async def test_a_failed_upgrade_leaves_the_session_polling(
    hub, engine, http, until, log_lines, first
):
    """python-engineio would answer every poll with nothing for ever after."""
    await engine.get()
    ws = await http.ws_connect(engine.url.replace("polling", "websocket"))
    if first is None:
        await ws.close()
    else:
        await ws.send_str(first)
        await ws.receive(WITHIN_S)
    await until(lambda: not hub.engine.sockets[engine.sid].upgrading)
    await engine.post('421["subscribe",{"symbols":["TCS"]}]')
    packets = []
    while not any(p.startswith('431[{"type":"subscribed"') for p in packets):
        packets = (await engine.get())[1]

    assert [] == log_lines.tracebacks()


async def test_a_session_that_does_not_connect_is_ended(
    start_hub, http, polling, until, monkeypatch
):
    """Open sessions cost memory: who does not say what he wants may not stay."""
    monkeypatch.setattr(socketio_door, "CONNECT_WITHIN_S", 0.1)
    hub = await start_hub()
    ws = await http.ws_connect(f"{hub.url}/socket.io/?EIO=4&transport=websocket")
    await polling(hub).open(connect=False)
    await ws.receive_str()
    closed = await ws.receive(WITHIN_S)

    assert aiohttp.WSMsgType.CLOSE == closed.type
    await until(lambda: not any(hub.left_over().values()))


async def test_sessions_that_wait_have_a_limit(hub, polling, monkeypatch):
    """Beyond it new ones are refused; who is connected does not count."""
    monkeypatch.setattr(socketio_door, "UNCONNECTED_MAX", 2)
    sessions = [await polling(hub).open(connect=False) for _ in range(2)]
    status, _ = await polling(hub).get()
    await sessions[0].post("40")
    again, _ = await polling(hub).get()

    assert (503, 200) == (status, again)
