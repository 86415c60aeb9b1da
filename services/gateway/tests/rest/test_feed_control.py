"""Orders to the fetchers, from the route to what a fetcher reads."""

import httpx
import msgspec
import pytest

from bse_gateway.rest.feed_control import FeedControlReply, OrderInForceReply
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.wire.records import OrderRecord, SourceRecord


@pytest.fixture
async def door(make_door, market):
    """A gateway that hears a fetcher with two sources."""
    names = ("bse", "yahoo")
    market.feed = msgspec.structs.replace(
        market.feed,
        order="paused by asha for 9 s more",
        sources=[
            SourceRecord(source=name, endpoint="list", role="primary", circuit="closed")
            for name in names
        ],
    )
    return await make_door(mode="required")


def client_at(door, key, host="127.0.0.1"):
    """A client at an address."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(door.app, client=(host, 9)),
        base_url="http://gateway",
        headers={"x-api-key": key},
    )


@pytest.fixture
async def operator(door):
    """An operator on this machine."""
    async with client_at(door, await door.key("operator")) as opened:
        yield opened


async def ordered(client, action, **more):
    """An order that is taken."""
    answer = await client.post("/admin/feed/orders", json={"action": action} | more)
    assert 201 == answer.status_code, answer.text
    return OrderInForceReply.model_validate_json(answer.content)


@pytest.mark.parametrize(
    ("action", "more", "expected"),
    [
        ("pause", {}, {"pause": True}),
        ("freeze", {"why": "exchange test"}, {"freeze": True, "why": "exchange test"}),
        ("poll_now", {}, {"poll_now": True}),
        ("source", {"source": "yahoo"}, {"source": "yahoo"}),
        ("resume", {}, {}),
    ],
)
async def test_an_order_is_what_fetchers_read_and_ends_by_itself(
    operator, redis, market, action, more, expected
):
    """By whom, since when, for how long."""
    told = await ordered(operator, action, for_s=90, **more)
    record, left_ms = await FetcherControls(redis).current()
    by = told.order.by
    assert by.startswith("key:")
    assert OrderRecord(by=by, at_ms=market.at_ms, **expected) == record
    assert 80_000 < left_ms <= told.ends_in_ms == 90_000


async def test_a_poll_leaves_what_is_in_force_to_its_own_end(operator, redis):
    """It lifts no freeze and no forced source."""
    await ordered(operator, "source", source="yahoo", for_s=500)
    told = await ordered(operator, "poll_now", for_s=5)
    record, left_ms = await FetcherControls(redis).current()
    assert ("yahoo", True) == (record.source, record.poll_now)
    assert 490_000 < left_ms <= 500_000
    assert 490_000 < told.ends_in_ms <= 500_000


async def test_an_order_that_would_do_nothing_is_a_conflict(operator, redis):
    """And the one in force stays."""
    await ordered(operator, "pause")
    for body in ({"action": "poll_now"}, {"action": "source", "source": "nse"}):
        answer = await operator.post("/admin/feed/orders", json=body)
        assert (409, "/problems/order-conflict") == (
            answer.status_code,
            answer.json()["type"],
        )
    record, _ = await FetcherControls(redis).current()
    assert record.pause


async def test_the_log_and_the_fetchers_word_are_read_together(operator, redis):
    """The newest first; none in force after its end."""
    assert (await operator.get("/admin/feed")).json()["in_force"] is None
    await ordered(operator, "pause")
    await ordered(operator, "resume")
    answer = await operator.get("/admin/feed")
    found = FeedControlReply.model_validate_json(answer.content)
    assert [False, True] == [order.pause for order in found.orders]
    assert found.in_force.order == found.orders[0]
    assert ("ok", "paused by asha for 9 s more") == (found.state, found.obeyed)
    assert ["bse", "yahoo"] == [each.source for each in found.sources]
    await redis.delete(keys.FETCHER_ORDER)  # what the server does at the end
    assert (await operator.get("/admin/feed")).json()["in_force"] is None


async def test_every_order_is_in_the_audit_chain(operator):
    """Refused ones too."""
    await ordered(operator, "pause")
    await operator.post("/admin/feed/orders", json={"action": "poll_now"})
    await ordered(operator, "source", source="bse")
    audit = (await operator.get("/admin/audit?limit=3")).json()
    assert [
        ("feed.source", "bse", "done"),
        ("feed.poll_now", "feed", "conflict"),
        ("feed.pause", "feed", "done"),
    ] == [(act["what"], act["target"], act["result"]) for act in audit["acts"]]
    assert audit["chain_holds"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "stop"},
        {"action": "source"},
        {"action": "source", "source": ""},
        {"action": "source", "source": "YAHOO\n"},
        {"action": "pause", "source": "bse"},
        {"action": "pause", "for_s": 0},
        {"action": "pause", "for_s": 86_401},
        {"action": "pause", "for_s": True},
        {"action": "pause", "why": "a\nb"},
        {"action": "pause", "by": "asha"},
    ],
)
async def test_an_order_that_is_none_is_refused(operator, redis, body):
    """Before anything is ordered."""
    answer = await operator.post("/admin/feed/orders", json=body)
    assert 422 == answer.status_code
    assert not await redis.exists(keys.FETCHER_ORDER)


@pytest.mark.parametrize(
    ("role", "host", "status"),
    [
        ("trader", "127.0.0.1", 403),
        ("service", "127.0.0.1", 403),
        ("operator", "192.0.2.9", 403),
        ("admin", "127.0.0.1", 201),
    ],
)
async def test_only_operators_from_listed_addresses_order(
    door, redis, role, host, status
):
    """The scope is feed:control."""
    async with client_at(door, await door.key(role), host) as client:
        answer = await client.post("/admin/feed/orders", json={"action": "freeze"})
    assert status == answer.status_code
    assert (status == 201) == await redis.exists(keys.FETCHER_ORDER)
