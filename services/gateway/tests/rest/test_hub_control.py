"""Orders to the hubs, from the route to what a hub reads."""

import httpx
import pytest

from bse_gateway.rest.hub_control import HubsReply
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.redis_edge.instances import Instances
from bse_shared.wire.records import Heartbeat


@pytest.fixture(autouse=True)
async def hubs(redis, market):
    """Two hubs and a fetcher that beat."""
    for service, instance in (("ws-hub", "h-1"), ("ws-hub", "h-2"), ("fetcher", "f")):
        await Instances(redis).beat(
            Heartbeat(
                service=service,
                instance=instance,
                url=f"http://{instance}:8001",
                version="1",
                at_ms=market.at_ms,
                started_at_ms=market.at_ms,
                ready=True,
                detail={"connections": 7},
            )
        )


def client_at(door, key, host="127.0.0.1"):
    """A client at an address."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(door.app, client=(host, 9)),
        base_url="http://gateway",
        headers={"x-api-key": key},
    )


@pytest.fixture
async def door(make_door):
    """A gateway."""
    return await make_door(mode="required")


@pytest.fixture
async def operator(door):
    """An operator on this machine."""
    async with client_at(door, await door.key("operator")) as opened:
        yield opened


async def ordered(client, **body):
    """The answer to an order."""
    return await client.post("/admin/hubs/orders", json=body)


@pytest.mark.parametrize("instance", ["h-1", "*"])
async def test_a_drain_is_what_hubs_read_and_ends_by_itself(
    operator, redis, market, instance
):
    """By whom, since when, until when."""
    answer = await ordered(
        operator, action="drain", instance=instance, for_s=90, why="new node"
    )
    assert 201 == answer.status_code
    controls = HubControls(redis)
    (order,) = (await controls.in_force(market.at_ms)).values()
    assert (instance, market.at_ms + 90_000, "new node") == (
        order.instance,
        order.ends_at_ms,
        order.why,
    )
    assert order.by.startswith("key:")
    assert {} == await controls.in_force(market.at_ms + 90_000)


async def test_hubs_are_told_with_what_stands_for_them(operator):
    """One drained by itself, the other with all."""
    before = HubsReply(**(await operator.get("/admin/hubs")).json())
    assert [("h-1", 7, None), ("h-2", 7, None)] == [
        (hub.instance, hub.connections, hub.drain) for hub in before.hubs
    ]
    await ordered(operator, action="drain", instance="h-1", why="mine")
    await ordered(operator, action="drain", instance="*", why="all")
    found = HubsReply(**(await operator.get("/admin/hubs")).json())
    assert ["mine", "all"] == [hub.drain.why for hub in found.hubs]
    assert {"h-1", "*"} == {each.instance for each in found.in_force}
    assert ["all", "mine"] == [each.why for each in found.orders]


@pytest.mark.parametrize(("instance", "left"), [("h-1", {"*"}), ("*", set())])
async def test_a_drain_can_be_taken_back(operator, instance, left):
    """Of one hub, or all there are."""
    await ordered(operator, action="drain", instance="h-1")
    await ordered(operator, action="drain", instance="*")
    answer = await ordered(operator, action="resume", instance=instance)
    assert answer.json()["at_ms"] == answer.json()["ends_at_ms"]
    found = HubsReply(**(await operator.get("/admin/hubs")).json())
    assert left == {each.instance for each in found.in_force}


async def test_an_order_that_would_do_nothing_is_a_conflict(operator, redis):
    """And it says so where all are drained and one is to be resumed."""
    for body in (
        {"action": "drain", "instance": "f"},
        {"action": "resume", "instance": "*"},
        {"action": "resume", "instance": "h-1"},
    ):
        answer = await ordered(operator, **body)
        assert (409, "/problems/order-conflict") == (
            answer.status_code,
            answer.json()["type"],
        )
    assert not await redis.exists(keys.HUB_DRAINS)
    await ordered(operator, action="drain", instance="*")
    answer = await ordered(operator, action="resume", instance="h-1")
    assert "together" in answer.json()["detail"]


async def test_every_order_is_in_the_audit_chain(operator):
    """Refused ones too."""
    await ordered(operator, action="drain", instance="h-1")
    await ordered(operator, action="drain", instance="h-9")
    await ordered(operator, action="resume", instance="h-2")
    await ordered(operator, action="resume", instance="*")
    audit = (await operator.get("/admin/audit?limit=4")).json()
    assert [
        ("hub.resume", "*", "done"),
        ("hub.resume", "h-2", "conflict"),
        ("hub.drain", "h-9", "conflict"),
        ("hub.drain", "h-1", "done"),
    ] == [(act["what"], act["target"], act["result"]) for act in audit["acts"]]
    assert audit["chain_holds"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "drain"},
        {"action": "stop", "instance": "*"},
        {"action": "drain", "instance": ""},
        {"action": "drain", "instance": "a/b"},
        {"action": "drain", "instance": "x" * 129},
        {"action": "drain", "instance": "*", "for_s": 0},
        {"action": "drain", "instance": "*", "for_s": 86_401},
        {"action": "drain", "instance": "*", "for_s": True},
        {"action": "drain", "instance": "*", "why": "a\nb"},
        {"action": "resume", "instance": "*", "for_s": 5},
        {"action": "drain", "instance": "*", "by": "asha"},
    ],
)
async def test_an_order_that_is_none_is_refused(operator, redis, body):
    """Before anything is ordered."""
    assert 422 == (await ordered(operator, **body)).status_code
    assert not await redis.exists(keys.HUB_DRAINS)


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
    """The scope is hub:control."""
    async with client_at(door, await door.key(role), host) as client:
        answer = await ordered(client, action="drain", instance="*")
    assert status == answer.status_code
    assert (status == 201) == await redis.exists(keys.HUB_DRAINS)
