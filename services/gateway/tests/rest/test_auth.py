"""The token routes."""

import asyncio

import jwt
import pytest

from bse_gateway.identity.parts import KEY_OUTLIVES_SIGNER_MS
from bse_shared.redis_edge import keys
from bse_shared.testing.builders import TCS, a_quote


@pytest.fixture
async def door(make_door, market):
    """A gateway that wants to know who asks, with a quote."""
    market.report({TCS.code: a_quote()})
    return await make_door(mode="required", failures_per_minute=1_000)


@pytest.fixture
async def client(door, client_of):
    """A client of it."""
    async with client_of(door.app) as opened:
        yield opened


@pytest.fixture
async def signed(door, client):
    """Tokens got with a new key."""
    answer = await client.post(
        "/api/auth/token", headers={"x-api-key": await door.key()}
    )
    return answer.json()


async def status(client, token):
    """What a quote costs with this token."""
    answer = await client.get(
        "/api/stock/TCS", headers={"authorization": f"Bearer {token}"}
    )
    return answer.status_code


async def refresh(client, token):
    """The answer of the refresh route."""
    return await client.post("/api/auth/refresh", json={"refresh_token": token})


async def revoke(client, token, **more):
    """Revoke, which never fails."""
    answer = await client.post("/api/auth/revoke", json={"token": token, **more})
    assert (204, b"") == (answer.status_code, answer.content)


@pytest.mark.parametrize("how", ["bearer", "header", "body"])
async def test_a_key_buys_tokens_however_it_is_sent(door, client, how):
    """And the answer is for nobody's cache."""
    key = await door.key("viewer")
    sent = {
        "bearer": {"headers": {"authorization": f"bearer {key}"}},
        "header": {"headers": {"x-api-key": key}},
        "body": {"json": {"api_key": key}},
    }
    answer = await client.post("/api/auth/token", **sent[how])
    found = answer.json()
    assert ("Bearer", 600, 86_400, "viewer") == (
        found["token_type"],
        found["expires_in"],
        found["refresh_expires_in"],
        found["role"],
    )
    assert "quotes:read stream:read subscriptions:write" == found["scope"]
    assert "no-store" == answer.headers["cache-control"]
    assert 200 == await status(client, found["access_token"])


async def test_others_can_check_a_token_by_the_published_keys(client, signed):
    """With any library; the private half is not there."""
    answer = await client.get("/.well-known/jwks.json")
    token = signed["access_token"]
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(answer.json())[header["kid"]]
    claims = jwt.decode(
        token,
        key,
        algorithms=["EdDSA"],
        audience="bse-quotes",
        issuer="bse-gateway",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert {"alg": "EdDSA", "typ": "at+jwt", "kid": header["kid"]} == header
    assert 600 == claims["exp"] - claims["iat"]
    assert {"kty", "crv", "use", "alg", "kid", "x"} == set(answer.json()["keys"][0])
    assert "public, max-age=60" == answer.headers["cache-control"]


async def test_a_new_signing_key_disturbs_nobody(door, make_door, client_of, signed):
    """Replicas sign with their own keys; tokens of each are good at all."""
    door.clock.advance(1_000)
    newer = await make_door(clock=door.clock, mode="required")
    async with client_of(newer.app) as client:
        assert 200 == await status(client, signed["access_token"])
        both = (await client.get("/.well-known/jwks.json")).json()["keys"]
        door.clock.advance(KEY_OUTLIVES_SIGNER_MS - 1_000)
        await newer.identity.publish()
        one = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert {door.identity.signer.key_id, newer.identity.signer.key_id} == {
        key["kid"] for key in both
    }
    assert [newer.identity.signer.key_id] == [key["kid"] for key in one]


async def test_a_refresh_gives_the_next_pair(client, signed, door):
    """With the rights of the first, until the sign-in ends."""
    door.clock.advance(600_000)
    answer = await refresh(client, signed["refresh_token"])
    found = answer.json()
    assert signed["refresh_token"] != found["refresh_token"]
    assert (signed["scope"], signed["role"]) == (found["scope"], found["role"])
    assert 86_400 - 600 == found["refresh_expires_in"]
    assert 200 == await status(client, found["access_token"])


async def test_a_refresh_token_shown_twice_ends_the_session(client, signed, door):
    """Whoever holds the newer one is out too, with all access tokens of the session; it is in the audit log."""
    newer = (await refresh(client, signed["refresh_token"])).json()
    assert 200 == await status(client, newer["access_token"])
    stolen = await refresh(client, signed["refresh_token"])
    assert (401, "reused_refresh_token") == (
        stolen.status_code,
        stolen.json()["reason"],
    )
    assert [401, 401] == [
        await status(client, each["access_token"]) for each in (signed, newer)
    ]
    assert 401 == (await refresh(client, newer["refresh_token"])).status_code
    entries, _ = await door.identity.store.read_audit(1)
    assert ("refresh-token.reused", stolen.headers["x-request-id"]) == (
        entries[0].act.what,
        entries[0].act.request_id,
    )


async def test_another_session_of_the_same_key_goes_on(door, client):
    """A theft concerns one sign-in."""
    key = await door.key()
    one, other = [
        (await client.post("/api/auth/token", headers={"x-api-key": key})).json()
        for _ in range(2)
    ]
    for _ in range(2):
        await refresh(client, one["refresh_token"])
    assert [401, 200] == [
        await status(client, each["access_token"]) for each in (one, other)
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "malformed"),
        ("bsr_" + "a" * 16 + "_" + "b" * 32 + "_00000000", "malformed"),
        ("bsq_demo_demo0000_x_y", "malformed"),
    ],
)
async def test_what_is_no_refresh_token_is_refused(client, text, reason):
    """A slip of the hand ends nothing."""
    answer = await refresh(client, text)
    assert (401, reason) == (answer.status_code, answer.json()["reason"])


async def test_a_slip_of_the_hand_does_not_end_the_session(client, signed):
    """The checksum finds it before the store is asked."""
    token = signed["refresh_token"]
    swapped = token[:30] + ("a" if token[30] != "a" else "b") + token[31:]
    assert 401 == (await refresh(client, swapped)).status_code
    assert 200 == (await refresh(client, token)).status_code


async def test_a_revoked_token_is_out_at_once(client, signed):
    """The session goes on."""
    await revoke(client, signed["access_token"])
    assert 401 == await status(client, signed["access_token"])
    assert 200 == (await refresh(client, signed["refresh_token"])).status_code


async def test_a_revoked_refresh_token_takes_its_session_with_it(client, signed):
    """RFC 7009, 2.1."""
    await revoke(client, signed["refresh_token"])
    assert 401 == await status(client, signed["access_token"])
    assert 401 == (await refresh(client, signed["refresh_token"])).status_code


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
async def test_everywhere_means_every_session(door, client, which):
    """And a new sign-in is possible a moment later."""
    key = await door.key()

    async def sign_in():
        answer = await client.post("/api/auth/token", headers={"x-api-key": key})
        return answer.json()

    one, other = await sign_in(), await sign_in()
    await revoke(client, one[which], everywhere=True)
    assert [401, 401] == [await status(client, e["access_token"]) for e in (one, other)]
    assert 401 == (await refresh(client, other["refresh_token"])).status_code
    door.clock.advance(1_000)
    assert 200 == await status(client, (await sign_in())["access_token"])


@pytest.mark.parametrize("text", ["x", "a.b.c", "bsq_live_x"])
async def test_revoking_what_is_no_token_is_done_already(client, text):
    """RFC 7009, 2.2."""
    await revoke(client, text)


async def test_a_revocation_reaches_another_replica_by_message(
    door, make_door, client_of, client, signed, redis
):
    """At once, without its reading anything."""
    other = await make_door(clock=door.clock, mode="required")
    async with client_of(other.app) as elsewhere, redis.pubsub() as pubsub:
        assert 200 == await status(elsewhere, signed["access_token"])
        await pubsub.subscribe(keys.ACCESS_CHANNEL)
        await pubsub.get_message(timeout=1)
        await revoke(client, signed["access_token"])
        other.identity.access.take((await pubsub.get_message(timeout=1))["data"])
        assert 401 == await status(elsewhere, signed["access_token"])


async def test_sign_ins_at_once_are_sessions_of_their_own(door, client):
    """No two share a token."""
    key = await door.key()
    answers = await asyncio.gather(
        *(client.post("/api/auth/token", headers={"x-api-key": key}) for _ in range(5))
    )
    for name in ("access_token", "refresh_token"):
        assert 5 == len({answer.json()[name] for answer in answers})


@pytest.mark.parametrize(
    ("body", "status_code"),
    [
        (b"", 401),
        (b"{}", 401),
        (b"[", 400),
        (b'{"api_key":7}', 422),
        (b'{"x":1}', 422),
        (b'{"api_key":""}', 422),
        (b'{"api_key":"%b"}' % (b"a" * 5_000), 422),
    ],
)
async def test_without_a_key_there_is_no_token(client, body, status_code):
    """Typed, and nothing of what was sent comes back."""
    answer = await client.post(
        "/api/auth/token", content=body, headers={"content-type": "application/json"}
    )
    assert status_code == answer.status_code
    assert "aaaa" not in answer.text


async def test_a_token_buys_no_token(client, signed):
    """Or its ten minutes would be for ever."""
    answer = await client.post(
        "/api/auth/token",
        headers={"authorization": f"Bearer {signed['access_token']}"},
    )
    assert (401, "malformed_key") == (answer.status_code, answer.json()["reason"])


async def test_nothing_in_the_store_opens_anything(client, signed, redis, door):
    """A dump has no key, no token, no ticket."""
    key = await door.key()
    made = await client.post(
        "/api/subscribe", json={"symbols": ["TCS"]}, headers={"x-api-key": key}
    )
    dump = b""
    for name in await redis.keys("*"):
        kind = await redis.type(name)
        read = {
            b"hash": redis.hgetall,
            b"string": redis.get,
            b"set": redis.smembers,
        }.get(kind, lambda n: redis.execute_command("DUMP", n))
        dump += name + repr(await read(name)).encode()
    for secret in (
        key.split("_")[3],
        signed["refresh_token"].split("_")[2],
        signed["access_token"],
        made.json()["ticket"],
    ):
        assert secret.encode() not in dump
