"""Budgets at the door, and between replicas."""

import pytest

from bse_gateway.identity.spending import Spending
from bse_shared.access.roles import ROLES
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.testing.builders import TCS, a_quote
from bse_shared.testing.fake_clock import FakeClock


LIMIT = ROLES["viewer"].limits.requests_per_minute


@pytest.fixture(autouse=True)
def quotes(market):
    """There is something to read."""
    market.report({TCS.code: a_quote()})


def rate(answer):
    """The three headers."""
    return tuple(
        int(answer.headers[f"ratelimit-{name}"])
        for name in ("limit", "remaining", "reset")
    )


async def test_the_limit_is_exact_and_told(make_door, client_of):
    """Each answer says what is left; the first one too many when to come again; then all of it is there."""
    door = await make_door()
    async with client_of(door.app) as client:
        first = await client.get("/api/stock/TCS")
        spend = door.identity.spending.spend
        assert all(spend("ip:127.0.0.1", LIMIT).allowed for _ in range(LIMIT - 2))
        door.clock.advance(30_000)
        last = await client.get("/api/stock/XX")
        refused = await client.get("/api/stock/TCS")
        door.clock.advance(1_000 * int(refused.headers["retry-after"]))
        again = await client.get("/api/stock/TCS")
    assert (LIMIT, LIMIT - 1, 61) == rate(first)
    assert (404, (LIMIT, 0, 31)) == (last.status_code, rate(last))
    assert (429, (LIMIT, 0, 31)) == (refused.status_code, rate(refused))
    assert ("/problems/rate-limited", LIMIT) == (
        refused.json()["type"],
        refused.json()["limit"],
    )
    assert (200, LIMIT - 2) == (again.status_code, rate(again)[1])


async def test_who_has_a_name_pays_for_himself(make_door, client_of):
    """Key and token of one identity share a budget; the address has its own."""
    door = await make_door()
    key = await door.key("service")
    async with client_of(door.app) as client:
        by_key = await client.get("/api/stock/TCS", headers={"x-api-key": key})
        token = (
            await client.post("/api/auth/token", headers={"x-api-key": key})
        ).json()["access_token"]
        by_token = await client.get(
            "/api/stock/TCS", headers={"authorization": f"Bearer {token}"}
        )
        by_nobody = await client.get("/api/stock/TCS")
    limit = ROLES["service"].limits.requests_per_minute
    assert [(limit, limit - 1), (limit, limit - 2), (LIMIT, LIMIT - 1)] == [
        rate(each)[:2] for each in (by_key, by_token, by_nobody)
    ]


async def test_the_token_routes_have_a_budget_for_each_address(make_door, client_of):
    """Also where nothing is wrong with what is sent."""
    door = await make_door(token_requests_per_minute=2)
    async with client_of(door.app) as client:
        got = [(await client.get("/.well-known/jwks.json")) for _ in range(3)]
    assert [200, 200, 429] == [each.status_code for each in got]


async def test_replicas_count_together(redis):
    """What is spent at one counts at the other from the next second on."""
    clock = FakeClock()
    one, other = (Spending(AccessStore(redis), clock, name) for name in ("1", "2"))
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.SPENT_CHANNEL)
        await pubsub.get_message(timeout=1)
        for _ in range(7):
            one.spend("key:a", 10)
        one.spend("key:b", 10)
        await one.tell()
        told = (await pubsub.get_message(timeout=1))["data"]
        await one.tell()
        assert await pubsub.get_message(timeout=0.05) is None
    for spending in (one, other):
        spending.take(told)
    assert 2 == one.spend("key:a", 10).remaining
    assert 2 == other.spend("key:a", 10).remaining
    assert 8 == other.spend("key:b", 10).remaining


def test_messages_that_are_none_are_passed_over():
    """Whoever may publish can't stop us, nor give budgets back."""
    spending = Spending(AccessStore(None), FakeClock(), "1")
    for data in (b"", b"{}", b'{"replica":"2","spent":{"a":-5}}', b'{"replica":2}'):
        spending.take(data)
    spent = spending.spend("a", 10)
    assert (True, 9) == (spent.allowed, spent.remaining)
