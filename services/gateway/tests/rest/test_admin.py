"""The administration routes."""

import httpx
import pytest
from structlog.testing import capture_logs

from bse_shared.redis_edge import keys
from bse_shared.testing.builders import TCS, a_quote


@pytest.fixture
async def door(make_door, market):
    """A gateway with a quote."""
    market.report({TCS.code: a_quote()})
    return await make_door(mode="required")


@pytest.fixture
async def admin(door):
    """An administrator's client on this machine."""
    key = await door.key("admin")
    async with from_(door, "127.0.0.1", key) as opened:
        yield opened


def from_(door, host, key=None):
    """A client at an address."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(door.app, client=(host, 9)),
        base_url="http://gateway",
        headers={"x-api-key": key} if key else {},
    )


async def created(admin, **wish):
    """A new key."""
    answer = await admin.post(
        "/admin/api-keys", json={"name": "night batch", "role": "service", **wish}
    )
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def opens(door, key):
    """Whether the key reads a quote."""
    async with from_(door, "192.0.2.9", key) as client:
        return (await client.get("/api/stock/TCS")).status_code == 200


async def test_a_new_key_is_shown_once_and_opens_what_it_should(door, admin):
    """The list has everything of it but the secret."""
    made = await created(admin, scopes=["quotes:read"], expires_in_days=1)
    assert await opens(door, made["api_key"])
    listed = await admin.get("/admin/api-keys")
    (found,) = [k for k in listed.json()["keys"] if k["name"] == "night batch"]
    assert made["api_key"].split("_")[3] not in listed.text
    assert (["quotes:read"], "service", 1, door.clock.wall_ms()) == (
        found["scopes"],
        found["role"],
        found["secrets"],
        found["last_used_at_ms"],
    )
    door.clock.advance(24 * 3600 * 1000)
    assert not await opens(door, made["api_key"])


async def test_keys_give_no_more_than_their_role(admin):
    """Asked for or not."""
    made = await created(admin, role="viewer", scopes=["quotes:read", "keys:admin"])
    assert ["quotes:read"] == made["key"]["scopes"]


async def test_a_rotated_key_works_twice_until_the_old_secret_ends(door, admin):
    """One identity all along."""
    made = await created(admin)
    path = f"/admin/api-keys/{made['key']['key_id']}/rotate"
    answer = await admin.post(path, json={"grace_s": 60.0})
    newer = answer.json()["api_key"]
    assert (201, 2) == (answer.status_code, answer.json()["key"]["secrets"])
    assert [True, True] == [await opens(door, k) for k in (made["api_key"], newer)]
    door.clock.advance(60_000)
    assert [False, True] == [await opens(door, k) for k in (made["api_key"], newer)]


async def test_revoking_twice_is_as_good_as_once(door, admin):
    """The first time may have ended half-way."""
    made = await created(admin)
    path = f"/admin/api-keys/{made['key']['key_id']}/revoke"
    first, second = await admin.post(path), await admin.post(path)
    assert [200, 200] == [first.status_code, second.status_code]
    assert first.json()["revoked_at_ms"] == second.json()["revoked_at_ms"]
    assert not await opens(door, made["api_key"])
    rotated = await admin.post(path.replace("revoke", "rotate"), json={})
    assert (409, "/problems/key-conflict") == (
        rotated.status_code,
        rotated.json()["type"],
    )


@pytest.mark.parametrize("act", ["rotate", "revoke"])
async def test_a_key_that_is_not_there_is_a_404(admin, act):
    """And an id that is none a 422."""
    missing = await admin.post(f"/admin/api-keys/abcd1234/{act}", json={})
    wrong = await admin.post(f"/admin/api-keys/ABC/{act}", json={})
    assert (404, "/problems/unknown-api-key") == (
        missing.status_code,
        missing.json()["type"],
    )
    assert 422 == wrong.status_code


@pytest.mark.parametrize(
    "body",
    [
        {"name": "n"},
        {"role": "viewer"},
        {"name": "", "role": "viewer"},
        {"name": "a\r\nb", "role": "viewer"},
        {"name": "\x1b[31m", "role": "viewer"},
        {"name": "n" * 65, "role": "viewer"},
        {"name": "n", "role": "anonymous"},
        {"name": "n", "role": "root"},
        {"name": "n", "role": "viewer", "scopes": ["*"]},
        {"name": "n", "role": "viewer", "expires_in_days": 0},
        {"name": "n", "role": "viewer", "expires_in_days": True},
        {"name": "n", "role": "viewer", "expires_in_days": "9"},
        {"name": "n", "role": "viewer", "expires_in_days": 1.5},
        {"name": "n", "role": "viewer", "api_key": "bsq_live_mine"},
    ],
)
async def test_a_wish_that_is_none_is_refused(admin, body):
    """Before anything is made."""
    answer = await admin.post("/admin/api-keys", json=body)
    assert 422 == answer.status_code


@pytest.mark.parametrize("host", ["192.0.2.9", "10.0.0.1", "::2"])
async def test_from_elsewhere_administration_is_shut(door, host):
    """Whoever asks, with the best of keys; a header that says otherwise says nothing."""
    async with from_(door, host, await door.key("admin")) as client:
        answer = await client.get(
            "/admin/api-keys",
            headers={"x-forwarded-for": "127.0.0.1", "host": "127.0.0.1"},
        )
    assert (403, "/problems/address-refused") == (
        answer.status_code,
        answer.json()["type"],
    )


async def test_the_addresses_are_a_setting(make_door):
    """Such as an operators' network."""
    door = await make_door(admin_networks="192.0.2.0/28")
    async with from_(door, "192.0.2.9", await door.key("admin")) as client:
        assert 200 == (await client.get("/admin/audit")).status_code


async def test_without_news_of_revocations_administration_stops(door, admin):
    """Quotes go on: their tokens end by themselves."""
    door.clock.advance(31_000)
    shut = await admin.get("/admin/audit")
    assert (503, 200) == (
        shut.status_code,
        (await admin.get("/api/stock/TCS")).status_code,
    )
    await door.identity.access.read()
    assert 200 == (await admin.get("/admin/audit")).status_code


async def test_every_act_is_in_the_audit_log_with_its_result(admin):
    """Who, what, to what, in which request, from where; acts that failed too."""
    made = await created(admin)
    key_id = made["key"]["key_id"]
    await admin.post(f"/admin/api-keys/{key_id}/rotate", json={})
    await admin.post("/admin/api-keys/abcd1234/revoke")
    last = await admin.post(
        f"/admin/api-keys/{key_id}/revoke", headers={"x-request-id": "r-1"}
    )
    found = (await admin.get("/admin/audit?limit=4")).json()
    assert [
        ("api-key.revoke", key_id, "done"),
        ("api-key.revoke", "abcd1234", "no such key"),
        ("api-key.rotate", key_id, "done"),
        ("api-key.create", key_id, "done"),
    ] == [(act["what"], act["target"], act["result"]) for act in found["acts"]]
    newest = found["acts"][0]
    assert (200, "r-1", "127.0.0.1", True) == (
        last.status_code,
        newest["request_id"],
        newest["address"],
        newest["who"].startswith("key:"),
    )
    assert found["chain_holds"]


async def test_a_tampered_log_says_so(admin, redis):
    """Somebody with the store in hand dropped an act."""
    await created(admin)
    await created(admin)
    await redis.lset(keys.AUDIT, 1, await redis.lindex(keys.AUDIT, 2))
    assert not (await admin.get("/admin/audit")).json()["chain_holds"]


async def test_secrets_are_in_no_log_line(door, admin):
    """Neither a key that was made nor one that was refused."""
    with capture_logs() as lines:
        made = await created(admin)
        await opens(door, made["api_key"][:-1] + "0")
        await opens(door, made["api_key"])
    assert lines
    assert made["api_key"].split("_")[3] not in str(lines)
