"""The Socket.IO door as the official Python client sees it, over each transport."""

import asyncio
import re

import pytest
import socketio

from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.testing.builders import RELIANCE, TCS, a_quote
from bse_shared.wire.records import SubscriptionRecord, WantedScrips


WITHIN_S = 5


class SocketIoClient:
    """python-socketio's client, whose events can be waited for."""

    def __init__(self, http):
        self.sio = socketio.AsyncClient(reconnection=False, http_session=http)
        self.events = asyncio.Queue()
        self.gone = asyncio.Event()
        self.sio.on("*", self._keep)
        self.sio.on("disconnect", self._gone)

    async def _keep(self, event, *data):
        self.events.put_nowait((event, *data))

    async def _gone(self, reason):
        self.gone.set()

    async def until(self, name):
        """The next event of this name."""
        async with asyncio.timeout(WITHIN_S):
            while (found := await self.events.get())[0] != name:
                pass
        return found[1]

    async def call(self, event, data):
        """Emit, and wait for the acknowledgement."""
        return await self.sio.call(event, data, timeout=WITHIN_S)


@pytest.fixture
async def connect_sio(http):
    """Opens a Socket.IO client; `transports` as in python-socketio."""
    opened = []

    async def open_one(hub, transports=("websocket",), **options):
        client = SocketIoClient(http)
        await client.sio.connect(hub.url, transports=list(transports), **options)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        await client.sio.disconnect()
        await client.sio.eio.disconnect(abort=True)


@pytest.fixture(
    params=[("websocket",), ("polling",), ("polling", "websocket")],
    ids=["websocket", "polling", "upgrade"],
)
def transports(request):
    """Every way to connect."""
    return request.param


async def test_image_update_and_heartbeat_over_every_transport(
    hub, market, connect_sio, transports, until
):
    """The acknowledgement carries the full set; then the market follows; then nothing is left."""
    client = await connect_sio(hub, transports)
    welcome = await client.until("welcome")
    heartbeat = await client.until("heartbeat")
    answer = await client.call(
        "subscribe", {"symbols": ["reliance", "NoPe"], "mode": "ltp"}
    )
    image = await client.until("image")
    await market.report({RELIANCE.code: a_quote(290_140)})
    update = await client.until("update")
    left = await client.call("unsubscribe", {"symbols": ["RELIANCE"]})
    transport = client.sio.transport()
    await client.sio.disconnect()
    await until(lambda: not any(hub.left_over().values()))

    assert transports[-1] == transport
    assert 1 == welcome["protocol"]
    assert re.fullmatch(r"hub-1\.[0-9a-f]{8}\.1", welcome["session"])
    assert 0 < heartbeat["live_for_ms"] <= 7000
    assert "subscribed" == answer["type"]
    assert [("RELIANCE", "ltp")] == [
        (s["symbol"], s["mode"]) for s in answer["symbols"]
    ]
    assert [("NoPe", "unknown_symbol")] == [
        (r["symbol"], r["reason"]) for r in answer["rejected"]
    ]
    assert 2901.35 == image["quotes"][0]["last"]
    assert 2901.40 == update["quotes"][0]["last"]
    assert image["quotes"][0]["sequence"] == update["quotes"][0]["from"]
    assert [] == left["symbols"]


async def test_a_stored_set_is_taken_by_client_id(hub, redis, connect_sio):
    """`auth` names the client; its set comes as an event."""
    stored = Subscriptions(redis)
    record = SubscriptionRecord(
        client_id="desk-1",
        wants=[WantedScrips(mode="ltp", codes=[TCS.code])],
        updated_at_ms=1,
    )
    await stored.save(record)
    client = await connect_sio(hub, auth={"client_id": "desk-1"})
    subscribed = await client.until("subscribed")
    image = await client.until("image")

    assert ["TCS"] == [s["symbol"] for s in subscribed["symbols"]]
    assert TCS.code == image["quotes"][0]["code"]


async def test_a_client_with_a_stored_set_is_answered_before_the_market_was_read(
    hub_without_market, connect_sio, until
):
    """Waiting for the market does not keep it from being answered, or from going."""
    hub = hub_without_market
    client = await connect_sio(hub, auth={"client_id": "desk-1"})
    answer = await client.call("subscribe", {"symbols": ["TCS"]})
    await client.sio.disconnect()
    await until(lambda: not any(hub.left_over().values()))

    assert "not_ready" == answer["reason"]


@pytest.mark.parametrize(
    ("event", "data", "reason"),
    [
        ("subscribe", {"symbols": []}, "bad_message"),
        ("subscribe", {"symbols": ["TCS"], "mode": "all"}, "bad_message"),
        ("subscribe", {"symbols": ["TCS"], "more": 1}, "bad_message"),
        ("subscribe", "TCS", "bad_message"),
        ("subscribe", ({"symbols": ["TCS"]}, 2), "bad_message"),
        ("subscribe", None, "bad_message"),
        ("dance", {}, "unknown_op"),
        ("connect", {}, "unknown_op"),
        ("disconnect", "x", "unknown_op"),
        ("*", {}, "unknown_op"),
        ("ping", {}, "unknown_op"),
    ],
)
async def test_wrong_events_are_refused_by_name(
    hub, connect_sio, log_lines, event, data, reason
):
    """In the acknowledgement where one is asked for, else as an event; names of the library are no names."""
    client = await connect_sio(hub)
    answer = await client.call(event, data)
    await client.sio.emit(event, data)
    told = await client.until("error")
    alive = await client.call("subscribe", {"symbols": ["TCS"]})

    assert ("error", reason) == (answer["type"], answer["reason"])
    assert reason == told["reason"]
    assert ["TCS"] == [s["symbol"] for s in alive["symbols"]]
    assert (1, 1) == (len(hub.clients.all), hub.left_over()["socketio"] - 1)
    assert [] == log_lines.tracebacks()


async def test_a_binary_event_is_refused_and_not_kept(hub, connect_sio):
    """Neither the event nor its attachments; the connection lives."""
    client = await connect_sio(hub)
    await client.sio.emit("subscribe", {"symbols": [b"TCS"]})
    told = await client.until("error")
    answer = await client.call("subscribe", {"symbols": ["TCS"]})

    assert "bad_message" == told["reason"]
    assert ["TCS"] == [s["symbol"] for s in answer["symbols"]]
    assert {} == hub.door.server._binary_packet


async def test_too_many_bad_events_end_in_goodbye(hub, connect_sio, until, log_lines):
    """The tenth is the last; one line in the log."""
    client = await connect_sio(hub)
    for _ in range(10):
        await client.sio.emit("dance")
    goodbye = await client.until("goodbye")
    await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    await until(lambda: not any(hub.left_over().values()))

    assert ("too_many_bad_messages", False) == (
        goodbye["reason"],
        goodbye["reconnect"],
    )
    assert 1 == len(log_lines.all()), log_lines.all()


async def test_a_flood_of_subscribes_is_refused_beyond_the_budget(
    start_hub, connect_sio, transports
):
    """What is over is acknowledged as too_many_commands, in order, and the set is the first ones'."""
    hub = await start_hub(commands_per_s=20)
    client = await connect_sio(hub, transports)
    answers = []
    for _ in range(4):
        async with asyncio.TaskGroup() as group:  # the client puts them in one POST
            calls = [
                group.create_task(client.call("subscribe", {"symbols": ["TCS"]}))
                for _ in range(15)
            ]
        answers += [call.result() for call in calls]
    kinds = [a.get("reason", a["type"]) for a in answers]

    assert ["subscribed"] * 40 == kinds[:40]
    assert {"too_many_commands", "subscribed"} == set(kinds[40:])


async def test_one_client_too_many_is_refused_by_name(
    start_hub, connect_sio, http, until
):
    """The connection error says why; no half-open session stays."""
    hub = await start_hub(connections_max=1)
    await connect_sio(hub)
    second = socketio.AsyncClient(reconnection=False, http_session=http)
    refused = asyncio.Queue()
    second.on("connect_error", refused.put)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await second.connect(hub.url, transports=["websocket"])
    await second.eio.disconnect(abort=True)
    await until(lambda: hub.left_over()["engine"] == 1)

    assert {"message": "too_many_connections"} == refused.get_nowait()


async def test_drain_says_goodbye_and_takes_nobody_new(hub, connect_sio, http, until):
    """Every transport hears it."""
    clients = [await connect_sio(hub, (t,)) for t in ("websocket", "polling")]
    await hub.service.drain()
    goodbyes = [await client.until("goodbye") for client in clients]
    for client in clients:
        await asyncio.wait_for(client.gone.wait(), WITHIN_S)
    async with http.get(f"{hub.url}/socket.io/?EIO=4&transport=polling") as late:
        status = late.status

    assert {("going_away", True)} == {(g["reason"], g["reconnect"]) for g in goodbyes}
    assert 503 == status
    await until(lambda: hub.left_over()["clients"] == 0)


async def test_a_whole_market_over_polling_comes_in_portions(
    market, start_hub, connect_sio
):
    """The client takes at most sixteen packets an answer."""
    listed = [Instrument(600_000 + n, f"S{n}") for n in range(9_000)]
    await market.open(InstrumentMaster(listed, 2))
    hub = await start_hub({"mode": "off"}, backlog_packets_max=4)
    client = await connect_sio(hub, ("polling",))
    answer = await client.call(
        "subscribe", {"symbols": [i.symbol for i in listed[:4000]]}
    )
    more = await client.call(
        "subscribe", {"symbols": [i.symbol for i in listed[4000:8000]]}
    )
    await client.call("subscribe", {"symbols": [i.symbol for i in listed[8000:]]})
    imaged = set()
    while len(imaged) < 9_000:
        imaged |= {q["code"] for q in (await client.until("image"))["quotes"]}

    assert (4000, 8000) == (len(answer["symbols"]), len(more["symbols"]))


@pytest.mark.parametrize(
    "packet",
    [
        '451-["subscribe",{"_placeholder":true,"num":0}]',
        '459999999999-["subscribe"]',
        '4599999999999999999999-["subscribe"]',
        "461-0[]",
        "430[]",
        '440{"message":"x"}',
        "42",
        "42[]",
        "42{}",
        '42["subscribe"',
        "42[[]]",
        '42["subscribe",' + "[" * 50_000,
        '42["subscribe",{"symbols":["\\ud800"]}]',
        '42["\\ud800"]',
        '42["subscribe",{"symbols":[NaN]}]',
        '42["subscribe",{"symbols":[' + "9" * 5000 + "]}]",
        '42/admin,["subscribe"]',
        '429999999999999999999["subscribe"]',
        "40",
        '40{"client_id":"x"}',
        "40/x,",
        "47",
        b"\x00\x01",
    ],
)
async def test_packets_that_are_no_command_are_answered_and_not_kept(
    hub, websocket, log_lines, packet
):
    """An error or a refusal by the protocol; the connection goes on, nothing is logged but one line."""
    async with websocket(hub) as ws:
        if isinstance(packet, bytes):
            await ws.send_bytes(packet)
        else:
            await ws.send_str(packet)
        broken = packet == "47"
        if broken:
            closed = await ws.receive(WITHIN_S)
            assert 1002 == closed.data
        else:
            answer = await ws.receive_str()
            assert answer.startswith(('42["error"', "44/x,", "43")), answer
            await ws.send_str('427["subscribe",{"symbols":["TCS"]}]')
            while not (await ws.receive_str()).startswith('437[{"type":"subscribed"'):
                pass
            assert {} == hub.door.server._binary_packet
            assert 1 == len(hub.clients.hub.sessions)

    assert [] == log_lines.tracebacks()
    assert len(log_lines.all()) <= 1


async def test_what_comes_after_close_is_not_read(hub, websocket, until):
    """A client that says it closes, is gone, whatever it goes on sending."""
    async with websocket(hub) as ws:
        await ws.send_str("41")
        await ws.send_str("1")
        await ws.send_str("40")
        closed = await ws.receive(WITHIN_S)

        assert 1000 == closed.data
    await until(lambda: not any(hub.left_over().values()))


async def test_nothing_overtakes_what_is_on_its_way(hub, websocket):
    """A client is written to directly only when nothing older waits in its queue."""
    async with websocket(hub) as ws:
        (client,) = hub.clients.all.values()
        ((eio_sid, _),) = hub.door._by_session.items()
        client.outlet.write(b'2["late",{}]')
        hub.door._ways._go_direct(eio_sid, client, client.outlet)
        waited = client.outlet._direct is None
        while await ws.receive_str() != '42["late",{}]':
            pass

    assert waited


async def test_who_is_closed_before_he_is_written_to_directly_is_gone(
    hub, websocket, until
):
    """Nothing is kept for a client whose end was decided while he waited for it."""
    async with websocket(hub):
        (client,) = hub.clients.all.values()
        ((eio_sid, _),) = hub.door._by_session.items()
        await until(lambda: not client.outlet.queued)
        hub.clients.disconnected(client, "revoked")
        hub.door._ways._go_direct(eio_sid, client, client.outlet)

        assert {} == hub.clients.hub.apart


async def test_a_session_that_is_over_leaves_no_timer(hub, websocket, until):
    """With many short connections they would be thousands."""
    async with websocket(hub):
        assert 1 == len(_ping_timers())
    await until(lambda: not any(hub.left_over().values()))

    assert [] == _ping_timers()


def _ping_timers():
    return [t for t in asyncio.all_tasks() if "_send_ping" in t.get_coro().__qualname__]
