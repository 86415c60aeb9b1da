"""The subscribe route, on a real store."""

import pytest

from bse_gateway.rest.subscriptions import stream_addresses
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.testing.builders import INFY, RELIANCE, TCS
from bse_shared.wire.records import WantedScrips


@pytest.fixture
async def stored(make_app, client_of, redis):
    """A client of the application on a real store."""
    app = make_app(redis, stream_url="wss://hub.example", subscription_symbols_max=2)
    async with client_of(app) as opened:
        yield opened


async def test_a_set_is_stored_under_a_new_client_id(stored, redis, market):
    """The hub finds exactly what the client was told."""
    answer = await stored.post(
        "/api/subscribe", json={"symbols": ["reliance", "532540", "XX"], "mode": "ltp"}
    )
    found = answer.json()
    record = await Subscriptions(redis).load(found["client_id"])

    assert 200 == answer.status_code
    ltp = {"mode": "ltp", "fields": None, "max_hz": None, "every": False}
    assert [
        {"symbol": "RELIANCE", "code": RELIANCE.code, **ltp},
        {"symbol": "TCS", "code": TCS.code, **ltp},
    ] == found["symbols"]
    assert [("XX", "unknown_symbol")] == [
        (each["symbol"], each["reason"]) for each in found["rejected"]
    ]
    assert [WantedScrips(codes=[RELIANCE.code, TCS.code], mode="ltp")] == record.wants
    assert market.at_ms == record.updated_at_ms
    assert len(found["client_id"]) >= 20


async def test_ids_made_here_cannot_be_guessed_from_each_other(stored):
    """Who knows an id may change its set."""
    body = {"symbols": ["TCS"]}
    made = {
        (await stored.post("/api/subscribe", json=body)).json()["client_id"]
        for _ in range(5)
    }
    assert 5 == len(made)


async def test_add_and_remove_change_the_stored_set(stored):
    """The answer is the full resulting set each time, with what was refused."""

    async def send(action, *symbols):
        answer = await stored.post(
            "/api/subscribe",
            json={"client_id": "c-1", "action": action, "symbols": symbols},
        )
        found = answer.json()
        rejected = [(each["symbol"], each["reason"]) for each in found["rejected"]]
        return [each["code"] for each in found["symbols"]], rejected

    assert ([TCS.code], []) == await send("set", "TCS")
    assert ([TCS.code, INFY.code], [("reliance", "too_many_symbols")]) == await send(
        "add", "infy", "reliance"
    )
    assert ([INFY.code], []) == await send("remove", "532540")
    assert ([INFY.code], [("TCS", "not_subscribed")]) == await send("remove", "TCS")


async def test_identifiers_that_are_no_text_are_rejected_one_by_one(stored):
    """Hostile strings spoil neither the request nor the answer."""
    answer = await stored.post(
        "/api/subscribe",
        content=rb'{"symbols":["\ud800","A\u0000","TCS",""]}',
        headers={"content-type": "application/json"},
    )
    found = answer.json()
    assert ["TCS"] == [each["symbol"] for each in found["symbols"]]
    assert ["?", "A\0", ""] == [each["symbol"] for each in found["rejected"]]


async def test_hubs_are_told_of_a_change(stored, redis):
    """A connected client follows changes made over REST."""
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.SUBSCRIPTION_CHANNEL)
        await pubsub.get_message(timeout=1)
        await stored.post(
            "/api/subscribe", json={"client_id": "c-2", "symbols": ["TCS"]}
        )
        message = await pubsub.get_message(timeout=1)
    assert b"c-2" == message["data"]


async def test_without_a_store_the_caller_is_told_when_to_come_again(client):
    """A set that could not be stored is not answered as if it were."""
    answer = await client.post("/api/subscribe", json={"symbols": ["TCS"]})
    assert (503, "/problems/store-unavailable", "2") == (
        answer.status_code,
        answer.json()["type"],
        answer.headers["retry-after"],
    )


def test_stream_addresses_carry_the_client_id():
    """Socket.IO clients take http(s) addresses."""
    secure = stream_addresses("wss://hub.example", "c-1")
    plain = stream_addresses("ws://127.0.0.1:8001", "c-1")
    assert "wss://hub.example/ws?client_id=c-1" == secure.websocket
    assert "https://hub.example/socket.io/?client_id=c-1" == secure.socketio
    assert "http://127.0.0.1:8001/socket.io/?client_id=c-1" == plain.socketio


async def test_a_ticket_opens_the_stream_once_as_who_asked(make_door, client_of):
    """The hub redeems it for the client id and the identity; nobody in particular gets one too."""
    door = await make_door()
    redeem = door.identity.shared.redeem_ticket
    async with client_of(door.app) as client:
        named = await client.post(
            "/api/subscribe",
            json={"symbols": ["TCS"]},
            headers={"x-api-key": await door.key("service")},
        )
        nobody = await client.post("/api/subscribe", json={"symbols": ["TCS"]})
    ticket = await redeem(named.json()["ticket"])
    assert (named.json()["client_id"], "service", True) == (
        ticket.client_id,
        ticket.principal.role,
        ticket.principal.limits.may_subscribe_all,
    )
    assert await redeem(named.json()["ticket"]) is None
    assert (await redeem(nobody.json()["ticket"])).principal.is_anonymous


async def test_a_set_is_changed_only_by_whose_it_is(make_door, client_of, redis):
    """Knowing the client id is not enough where it belongs to somebody."""
    door = await make_door()
    mine, other = await door.key(), await door.key("admin")
    body = {"client_id": "c-9", "symbols": ["TCS"]}
    async with client_of(door.app) as client:

        async def subscribe(key, **change):
            headers = {"x-api-key": key} if key else {}
            answer = await client.post(
                "/api/subscribe", json={**body, **change}, headers=headers
            )
            return answer.status_code, answer.json().get("type")

        assert 200 == (await subscribe(mine))[0]
        for stranger in (other, None):
            assert (403, "/problems/not-yours") == await subscribe(
                stranger, symbols=["INFY"]
            )
        assert 200 == (await subscribe(mine, action="add"))[0]
    assert [TCS.code] == (await Subscriptions(redis).load("c-9")).codes
