"""Proofs that are remembered, and what ends them."""

import pytest
from prometheus_client import CollectorRegistry

from bse_gateway.identity.parts import put_together
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.settings import AuthSettings
from bse_shared.access.api_keys import DEMO_KEY
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.testing.builders import TCS, a_quote


@pytest.fixture(autouse=True)
def quotes(market):
    """There is something to read."""
    market.report({TCS.code: a_quote()})


@pytest.fixture
async def door(make_door):
    """A gateway that wants to know who asks."""
    return await make_door(mode="required", demo_key=True)


@pytest.fixture
async def client(door, client_of):
    """A client of it."""
    async with client_of(door.app) as opened:
        yield opened


async def signed_in(client, key):
    """The answer of the token route."""
    answer = await client.post("/api/auth/token", headers={"x-api-key": key})
    assert 200 == answer.status_code
    return answer.json()


async def status(client, **headers):
    """What a quote costs with these headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await client.get("/api/stock/TCS", headers=sent)).status_code


async def test_a_remembered_token_expires_on_time(door, client):
    """Remembering prolongs nothing: to the end and its leeway, and no further."""
    token = (await signed_in(client, await door.key()))["access_token"]
    bearer = f"Bearer {token}"
    assert 200 == await status(client, authorization=bearer)
    door.clock.advance(629_000)
    assert 200 == await status(client, authorization=bearer)
    door.clock.advance(1_000)
    assert 401 == await status(client, authorization=bearer)


async def test_proved_once_a_credential_asks_nobody(door, client, redis):
    """A token until it ends, a key for 30 s; and a lost store locks nobody out at once."""
    key = await door.key()
    token = (await signed_in(client, key))["access_token"]
    assert 200 == await status(client, x_api_key=key)
    before = (await redis.info("stats"))["total_commands_processed"]
    for _ in range(20):
        assert 200 == await status(client, x_api_key=key)
        assert 200 == await status(client, authorization=f"Bearer {token}")
    after = (await redis.info("stats"))["total_commands_processed"]
    assert 1 == after - before  # the question itself


async def test_with_the_store_away_who_was_in_stays_in(door, client):
    """As long as a token would; who was never seen is asked to come again."""
    key, other = await door.key(), await door.key()
    token = (await signed_in(client, key))["access_token"]
    assert 200 == await status(client, x_api_key=key)
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "t") as nowhere:
        door.identity.guard._doorkeeper._store._redis = nowhere
        door.clock.advance(31_000)
        assert 200 == await status(client, x_api_key=key)
        assert 200 == await status(client, authorization=f"Bearer {token}")
        assert 503 == await status(client, x_api_key=other)
        assert 503 == (await client.get("/admin/audit")).status_code
        door.clock.advance(569_000)
        assert 503 == await status(client, x_api_key=key)


async def test_before_keys_were_read_no_token_is_called_bad(
    client_of, make_door, redis
):
    """The client keeps it, and comes again."""
    door = await make_door()
    async with client_of(door.app) as client:
        token = (await signed_in(client, await door.key()))["access_token"]
    fresh = put_together(
        AccessStore(redis),
        door.identity.store,
        AuthSettings(),
        door.clock,
        GatewayMetrics(CollectorRegistry()),
        "fresh",
    )
    door.identity.guard._doorkeeper._access = fresh.access
    async with client_of(door.app) as client:
        assert 503 == await status(client, authorization=f"Bearer {token}")


async def test_a_revoked_key_is_out_at_once_with_its_tokens(door, client):
    """Also where it was remembered a moment ago."""
    admin = {"x-api-key": await door.key("admin")}
    key = await door.key()
    signed = await signed_in(client, key)
    bearer = f"Bearer {signed['access_token']}"
    assert [200, 200] == [
        await status(client, x_api_key=key),
        await status(client, authorization=bearer),
    ]
    key_id = key.split("_")[2]
    done = await client.post(f"/admin/api-keys/{key_id}/revoke", headers=admin)
    assert 200 == done.status_code
    assert [401, 401] == [
        await status(client, x_api_key=key),
        await status(client, authorization=bearer),
    ]
    again = await client.post(
        "/api/auth/refresh", json={"refresh_token": signed["refresh_token"]}
    )
    assert (401, "unknown_refresh_token") == (
        again.status_code,
        again.json()["reason"],
    )


async def test_the_demo_key_opens_a_local_run(client):
    """Printed by the local stack; not an administrator's."""
    assert "trader" == (await signed_in(client, DEMO_KEY.text))["role"]


async def test_a_demo_key_left_in_the_store_opens_nothing_in_production(
    make_door, client_of, signing_key_file
):
    """The same store, started as production."""
    await make_door(demo_key=True)
    pepper = "development: refused in production"
    door = await make_door(
        environment="production", pepper=pepper, signing_key_file=signing_key_file
    )
    async with client_of(door.app) as client:
        answer = await client.post(
            "/api/auth/token", headers={"x-api-key": DEMO_KEY.text}
        )
    assert (401, "demo_key") == (answer.status_code, answer.json()["reason"])


async def test_guessing_is_slowed_down_by_address(door, client):
    """Ten a minute; who was proved before is not disturbed."""
    key = await door.key()
    assert 200 == await status(client, x_api_key=key)
    tried = [
        await status(client, x_api_key=f"bsq_live_{n:08d}_{'x' * 32}_00000000")
        for n in range(12)
    ]
    assert [401] * 10 + [429] * 2 == tried
    assert 200 == await status(client, x_api_key=key)
    refused = await client.post(
        "/api/auth/token", headers={"x-api-key": await door.key()}
    )
    assert (429, "/problems/rate-limited") == (
        refused.status_code,
        refused.json()["type"],
    )
    door.clock.advance(1_000 * int(refused.headers["retry-after"]))
    assert await signed_in(client, key)


async def test_remembered_proofs_are_bounded(door, client):
    """A flood of good keys can't fill the memory, and nothing of a credential is in it."""
    key = await door.key()
    await status(client, x_api_key=key)
    proofs = door.identity.guard._doorkeeper._proofs
    assert 1 == len(proofs)
    assert key.encode() not in next(iter(proofs))
