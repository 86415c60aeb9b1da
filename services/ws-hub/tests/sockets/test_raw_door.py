"""The raw door as a client sees it: every promise of docs/protocol.md, sections 3 to 6."""

import asyncio

import aiohttp
import pytest

from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.testing.builders import INFY, RELIANCE, TCS, a_quote
from bse_shared.wire.records import SubscriptionRecord, WantedScrips


async def test_no_subprotocol_means_json(hub, connect):
    """A browser that offers nothing is answered in text."""
    client = await connect(hub, protocols=())

    assert client.socket.protocol is None
    assert "welcome" == client.welcome["type"]


async def test_the_first_known_subprotocol_is_taken(hub, connect):
    """What the hub does not know is passed over."""
    client = await connect(hub, protocols=("mqtt", "bse.v1.msgpack", "bse.v1.json"))

    assert "bse.v1.msgpack" == client.socket.protocol
    assert "welcome" == client.welcome["type"]


async def test_only_unknown_subprotocols_are_closed_with_4501(hub, connect):
    """A client of another version is told to stay away, and is told why."""
    client = await connect(hub, protocols=("bse.v2.json",), greet=False)

    assert 4501 == await client.closed()
    assert {} == hub.clients.all


async def test_welcome_tells_the_limits_and_the_first_heartbeat_follows(hub, connect):
    """Two messages before anything else: who you are, and how long live may be shown as live."""
    client = await connect(hub)

    assert {
        "type": "welcome",
        "protocol": 1,
        "heartbeat_interval_ms": 1000,
        "identity": None,
    }.items() <= client.welcome.items()
    assert {
        "symbols": 1_000,
        "commands_per_s": 20,
        "connections": 10,
        "all_symbols": False,
        "message_bytes": 65_536,
    } == client.welcome["limits"]
    assert "heartbeat" == client.heartbeat["type"]
    assert 0 < client.heartbeat["live_for_ms"] <= 7000
    assert {"phase": "open", "is_open": True}.items() <= client.heartbeat[
        "session"
    ].items()
    assert "ok" == client.heartbeat["feed"]["state"]
    assert 0 == client.heartbeat["conflated"]


async def test_heartbeats_go_on(start_hub, connect):
    """Each interval one, with falling time to live while nothing is confirmed."""
    client = await connect(await start_hub(heartbeat_interval_ms=100))
    first = await client.until("heartbeat")
    second = await client.until("heartbeat")

    assert first["server_time_ms"] < second["server_time_ms"]
    assert first["live_for_ms"] > second["live_for_ms"]


@pytest.mark.parametrize("name", ["reliance", "500325", "ine002a01018", " RELIANCE "])
async def test_a_scrip_is_found_by_symbol_code_or_isin_in_any_case(hub, connect, name):
    """The answer names what was meant, then the image comes."""
    client = await connect(hub)
    await client.send(op="subscribe", id=7, symbols=[name])
    answer = await client.until("subscribed")
    image = await client.until("image")

    assert 7 == answer["id"]
    assert [
        {
            "symbol": "RELIANCE",
            "code": 500325,
            "isin": RELIANCE.isin,
            "mode": "quote",
        }
    ] == answer["symbols"]
    assert [] == answer["rejected"]
    assert (500325, 2901.35) == (
        image["quotes"][0]["code"],
        image["quotes"][0]["last"],
    )


async def test_the_answer_is_the_full_set_with_typed_rejections(start_hub, connect):
    """What was taken before is in it, what can't be taken is named as it was sent."""
    client = await connect(await start_hub(symbols_max=2))
    await client.send(op="subscribe", symbols=["TCS"])
    await client.until("subscribed")
    await client.send(op="subscribe", symbols=["NoPe", "RELIANCE", "INFY"], id="x")
    answer = await client.until("subscribed")

    assert ["TCS", "RELIANCE"] == [s["symbol"] for s in answer["symbols"]]
    assert [("NoPe", "unknown_symbol"), ("INFY", "too_many_symbols")] == [
        (r["symbol"], r["reason"]) for r in answer["rejected"]
    ]


async def test_images_come_before_updates_and_updates_follow_on(hub, market, connect):
    """An update covers what came after the image, by position."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE"])
    image = await client.until("image")
    await market.report({RELIANCE.code: a_quote(290_140), TCS.code: a_quote(1)})
    update = await client.until("update")
    (row,) = update["quotes"]

    assert not [m for m in client.taken if m["type"] == "update"]
    assert image["quotes"][0]["sequence"] == row["from"] < row["to"]
    assert {"symbol", "code", "from", "to", "last"} == row.keys()
    assert 2901.40 == row["last"]
    assert update["received_at_ms"] <= update["sent_at_ms"]


async def test_messagepack_carries_paise_in_arrays(hub, market, connect):
    """Image and update as numbers, at the same positions."""
    client = await connect(hub, protocols=("bse.v1.msgpack",))
    await client.send(op="subscribe", symbols=["RELIANCE"], mode="ltp", id=1)
    answer = await client.until("subscribed")
    image = await client.until(1)
    await market.report({RELIANCE.code: a_quote(290_140)})
    update = await client.until(2)
    code, _, sequence, _, quality, fields = image[3][0]

    assert 1 == answer["id"]
    assert (RELIANCE.code, 0, 290_135) == (code, quality, fields[0])
    assert [RELIANCE.code, sequence, sequence + 1, {0: 290_140}] == update[3][0]


async def test_a_scrip_without_a_quote_has_an_image_of_nulls(hub, connect):
    """The client knows where it stands."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["INFY"])
    (row,) = (await client.until("image"))["quotes"]

    assert (INFY.code, None, "stale") == (row["code"], row["last"], row["quality"])


async def test_unsubscribe_answers_what_is_left(hub, market, connect):
    """And nothing more comes of the scrip."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE", "TCS"])
    await client.until("image")
    await client.send(op="unsubscribe", id=2, symbols=["TCS", "INFY", "nope"])
    answer = await client.until("unsubscribed")
    await market.report({RELIANCE.code: a_quote(1), TCS.code: a_quote(2)})
    update = await client.until("update")

    assert ["RELIANCE"] == [s["symbol"] for s in answer["symbols"]]
    assert ["not_subscribed", "unknown_symbol"] == [
        r["reason"] for r in answer["rejected"]
    ]
    assert [RELIANCE.code] == [row["code"] for row in update["quotes"]]


async def test_subscribing_again_changes_the_mode_with_a_new_image(hub, connect):
    """The image has the new mode's fields."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE"], mode="ltp")
    (small,) = (await client.until("image"))["quotes"]
    await client.send(op="subscribe", symbols=["RELIANCE"], mode="full")
    answer = await client.until("subscribed")
    (large,) = (await client.until("image"))["quotes"]

    assert "volume" not in small
    assert {"volume", "bids", "source"} <= large.keys()
    assert ["full"] == [s["mode"] for s in answer["symbols"]]


async def test_ping_is_answered_with_its_id_and_the_time(hub, connect):
    """The way to measure the round trip."""
    client = await connect(hub)
    await client.send(op="ping", id="abc")
    pong = await client.until("pong")

    assert "abc" == pong["id"]
    assert pong["server_time_ms"] > 1_700_000_000_000


async def test_a_stored_set_is_taken_and_followed(hub, redis, connect):
    """`client_id` begins with the stored set, and changes with it while connected."""
    stored = Subscriptions(redis)

    async def save(*codes):
        await stored.save(
            SubscriptionRecord(
                client_id="desk-1",
                wants=[WantedScrips(mode="ltp", codes=list(codes))],
                updated_at_ms=1,
            )
        )

    await save(RELIANCE.code)
    client = await connect(hub, query="?client_id=desk-1")
    first = await client.until("subscribed")
    await client.until("image")
    await save(RELIANCE.code, TCS.code)
    second = await client.until("subscribed")
    (row,) = (await client.until("image"))["quotes"]

    assert ["RELIANCE"] == [s["symbol"] for s in first["symbols"]]
    assert [("RELIANCE", "ltp"), ("TCS", "ltp")] == [
        (s["symbol"], s["mode"]) for s in second["symbols"]
    ]
    assert TCS.code == row["code"]


async def test_a_stored_set_of_another_version_is_passed_over(hub, redis, connect):
    """A mode that only a newer gateway knows must not take the hub down."""
    await Subscriptions(redis).save(
        SubscriptionRecord(
            client_id="d",
            wants=[WantedScrips(mode="depth20", codes=[1])],
            updated_at_ms=1,
        )
    )
    client = await connect(hub, query="?client_id=d")
    await client.send(op="ping", id=1)

    assert 1 == (await client.until("pong"))["id"]
    assert [] == hub.health.stuck()


async def test_commands_before_the_market_was_read_are_not_ready(
    hub_without_market, connect, until
):
    """A client with a stored set is answered too, and its going is noticed."""
    hub = hub_without_market
    client = await connect(hub, query="?client_id=desk-1")
    await client.send(op="subscribe", id=1, symbols=["RELIANCE"])
    answer = await client.until("error")
    await client.send(op="ping")
    await client.until("pong")
    await client.socket.close()
    await until(lambda: not hub.clients.all)

    assert (1, "not_ready") == (answer["id"], answer["reason"])
    assert "unknown" == client.heartbeat["feed"]["state"]
    assert 0 == client.heartbeat["live_for_ms"]


async def test_too_many_commands_are_not_carried_out(start_hub, connect):
    """The bucket holds two seconds' worth; beyond it each command is refused by name."""
    client = await connect(await start_hub(commands_per_s=5))
    for number in range(12):
        await client.send(op="ping", id=number)
    answers = [await client.until("pong") for _ in range(10)]
    refused = await client.until("error")

    assert list(range(10)) == [a["id"] for a in answers]
    assert ("too_many_commands", 10) == (refused["reason"], refused["id"])


async def test_ten_bad_messages_end_in_goodbye_and_4500(hub, connect, log_lines):
    """Each is answered by name; the connection leaves one line in the log."""
    client = await connect(hub)
    for text in ('{"op":"dance"}', "[]", '{"op":"ping","x":1}'):
        await client.socket.send_str(text)
    reasons = [(await client.until("error"))["reason"] for _ in range(3)]
    for _ in range(6):
        await client.socket.send_str("nonsense")
    await client.socket.send_bytes(b"binary at a text door")
    goodbye = await client.until("goodbye")

    assert ["unknown_op", "bad_message", "bad_message"] == reasons
    assert {
        "type": "goodbye",
        "reason": "too_many_bad_messages",
        "reconnect": False,
        "after_ms": 0,
    } == goodbye
    assert 4500 == await client.closed()
    assert 1 == len(log_lines.all()), log_lines.all()


async def test_text_at_the_binary_door_is_a_bad_message(hub, connect):
    """The subprotocol says what may be sent."""
    client = await connect(hub, protocols=("bse.v1.msgpack",))
    await client.socket.send_str('{"op":"ping"}')

    assert "bad_message" == (await client.until("error"))["reason"]


@pytest.mark.parametrize("number", [2**53, -(2**53)])
@pytest.mark.parametrize("protocol", ["bse.v1.json", "bse.v1.msgpack"])
async def test_ids_come_back_in_both_encodings(hub, connect, protocol, number):
    """The largest whole numbers that every client can hold."""
    client = await connect(hub, protocols=(protocol,))
    await client.send(op="ping", id=number)

    assert number == (await client.until("pong"))["id"]


async def test_an_id_beyond_that_is_a_bad_message(hub, connect):
    """No encoding has to carry a number of any length back."""
    client = await connect(hub)
    await client.send(op="ping", id=2**70)

    assert "bad_message" == (await client.until("error"))["reason"]


async def test_a_message_over_the_limit_is_closed_with_1009(hub, connect, until):
    """The client hears why, though it was still sending."""
    client = await connect(hub)
    await client.socket.send_str("x" * 1_000_000)

    assert 1009 == await client.closed()
    await until(lambda: not hub.clients.all)


async def test_one_connection_too_many_is_closed_with_4010(start_hub, connect):
    """It is accepted first, so that the client hears the reason."""
    hub = await start_hub(connections_max=1)
    first = await connect(hub)
    second = await connect(hub, greet=False)

    assert 4010 == await second.closed()
    await first.send(op="ping", id=1)
    assert 1 == (await first.until("pong"))["id"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "https://desk.example.evil.example",
        "https://evil-desk.example",
        "http://desk.example",
        "https://desk.example:8443",
        "https://DESK.example",
        "https://a@desk.example",
        "",
    ],
)
async def test_pages_of_other_origins_are_refused(start_hub, http, origin):
    """By exact comparison, before the WebSocket stands, at both doors."""
    hub = await start_hub(allowed_origins="https://desk.example, https://b.example")
    headers = {"Origin": origin}
    for url in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(hub.url + url, headers=headers)
        assert 403 == refused.value.status
    polling = "/socket.io/?EIO=4&transport=polling"
    async with http.get(hub.url + polling, headers=headers) as answer:
        assert 403 == answer.status


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://desk.example"}])
async def test_the_named_origin_and_programs_are_let_in(start_hub, connect, headers):
    """Who sends no Origin is no browser."""
    hub = await start_hub(allowed_origins="https://desk.example")
    client = await connect(hub, headers=headers)

    assert "welcome" == client.welcome["type"]


async def test_no_origins_means_no_pages_at_any_door(start_hub, http):
    """An empty list does not open the Socket.IO door."""
    hub = await start_hub(allowed_origins="")
    for url in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(hub.url + url, headers={"Origin": "https://a.b"})


async def test_drain_says_goodbye_and_spreads_the_return(start_hub, connect, until):
    """Clients are told to come back at different times, and closed with 1001."""
    hub = await start_hub(drain_spread_s=5)
    clients = [await connect(hub) for _ in range(8)]
    await hub.service.drain()
    goodbyes = [await client.until("goodbye") for client in clients]
    codes = [await client.closed() for client in clients]
    late = await connect(hub, greet=False)

    assert {("going_away", True)} == {(g["reason"], g["reconnect"]) for g in goodbyes}
    assert all(0 <= g["after_ms"] <= 5000 for g in goodbyes)
    assert len({g["after_ms"] for g in goodbyes}) > 4
    assert [1001] * 8 == codes
    assert 1001 == await late.closed()
    await until(lambda: not any(hub.left_over().values()))


async def test_a_client_that_vanishes_leaves_nothing(hub, connect, until):
    """A broken connection is noticed, and its groups go with it."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE"])
    await client.until("image")
    client.socket._response.connection.transport.abort()

    await until(lambda: not any(hub.left_over().values()))


async def test_a_flood_of_commands_backs_up_in_its_sender(start_hub, connect):
    """A neighbour's ping is answered in time while one client floods."""
    hub = await start_hub(commands_per_s=20)
    flooder, neighbour = await connect(hub), await connect(hub)

    async def flood():
        for number in range(3000):
            await flooder.send(op="ping", id=number)

    async with asyncio.TaskGroup() as group:
        flooding = group.create_task(flood())
        for number in range(10):
            await neighbour.send(op="ping", id=number)
            async with asyncio.timeout(0.5):
                await neighbour.until("pong", lambda m, n=number: m["id"] == n)
        flooding.cancel()
    refused = hub.clients.metrics.bad_messages.labels("too_many_commands")

    assert refused._value.get() < 20
