"""Tokens are checked in memory, and what changes is heard."""

import asyncio

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bse_shared.access.revocations import Revocation
from bse_shared.access.signing_keys import record_of
from bse_shared.access.tokens import Reason, TokenRefused, TokenRules
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.access_store import KEYS_CHANGED, AccessStore
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.testing.fake_clock import FakeClock
from bse_shared.wire.records import to_json


RULES = TokenRules("i", "a")


class Signing:
    """A key and the tokens made with it at the clock's time."""

    def __init__(self, clock):
        self._private = Ed25519PrivateKey.generate()
        self._clock = clock
        until_ms = clock.wall_ms() + 3_600_000
        self.record = record_of(self._private.public_key(), until_ms)

    def token(self, jti="t"):
        """A token of ten minutes."""
        now_s = self._clock.wall_ms() // 1000
        claims = {"iss": "i", "aud": "a", "sub": "s", "jti": jti, "role": "viewer"}
        return jwt.encode(
            {**claims, "scope": "quotes:read", "iat": now_s, "exp": now_s + 600},
            self._private,
            algorithm="EdDSA",
            headers={"typ": "at+jwt", "kid": self.record.key_id},
        )


@pytest.fixture
def clock():
    """The clock."""
    return FakeClock()


@pytest.fixture
def store(redis):
    """The store."""
    return AccessStore(redis)


@pytest.fixture
async def follower(store, clock):
    """A follower that has read an empty store, and remembers what it was told."""
    told = []
    found = AccessFollower(store, clock, RULES, told.append)
    found.told = told
    await found.read()
    return found


def a_revocation(clock, value="t", kind="jti"):
    """A revocation of now."""
    now_ms = clock.wall_ms()
    return Revocation(kind=kind, value=value, at_ms=now_ms, until_ms=now_ms + 630_000)


def reason(follower, token):
    """Why the token is refused."""
    with pytest.raises(TokenRefused) as caught:
        follower.verify(token)
    return caught.value.reason


async def test_tokens_of_the_old_key_hold_while_a_new_one_signs(follower, store, clock):
    """Rotation disturbs nobody."""
    old, new = Signing(clock), Signing(clock)
    token = old.token()
    await store.publish_key(old.record, clock.wall_ms())
    await follower.read()
    await store.publish_key(new.record, clock.wall_ms())
    await follower.read()
    assert "s" == follower.verify(token).sub == follower.verify(new.token()).sub


async def test_a_token_of_a_key_just_published_is_looked_up(follower, store, clock):
    """Once a second at most: a flood of made-up ids costs nothing."""
    signing = Signing(clock)
    with pytest.raises(TokenRefused):
        await follower.verify_or_reread(signing.token())
    await store.publish_key(signing.record, clock.wall_ms())
    with pytest.raises(TokenRefused):
        await follower.verify_or_reread(signing.token())
    clock.advance(1_000)
    assert "s" == (await follower.verify_or_reread(signing.token())).sub


async def test_a_new_key_is_read_when_it_is_told(follower, store, clock):
    """The loop does not sleep out its five seconds."""
    signing = Signing(clock)
    async with asyncio.timeout(2), asyncio.TaskGroup() as group:
        round_ = group.create_task(follower.reread())
        await store.publish_key(signing.record, clock.wall_ms())
        follower.take(KEYS_CHANGED)
        await round_
    await follower.read()
    assert follower.verify(signing.token())


@pytest.mark.parametrize("lost", [False, True])
async def test_a_revocation_takes_effect_by_message_or_by_reading(
    follower, store, clock, lost
):
    """And is told once to whoever closes sockets."""
    signing = Signing(clock)
    await store.publish_key(signing.record, clock.wall_ms())
    await follower.read()
    principal = follower.verify(signing.token())
    revocation = a_revocation(clock)
    await store.revoke(revocation, clock.wall_ms())
    if not lost:
        follower.take(to_json(revocation))
        assert Reason.REVOKED is reason(follower, signing.token())
    await follower.read()
    assert Reason.REVOKED is reason(follower, signing.token())
    assert not follower.still_valid(principal)
    assert "s" == follower.verify(signing.token("other")).sub
    assert [revocation] == follower.told


async def test_a_withdrawn_key_proves_nothing_any_more(follower, store, redis, clock):
    """It leaked: what it proved before is gone too. A store without any key has lost its data instead."""
    leaked, other = Signing(clock), Signing(clock)
    for each in (leaked, other):
        await store.publish_key(each.record, clock.wall_ms())
    await follower.read()
    principal = follower.verify(leaked.token())
    await redis.flushall()
    await follower.read()
    assert follower.still_valid(principal)
    await store.publish_key(other.record, clock.wall_ms())
    await follower.read()
    assert not follower.still_valid(principal)
    assert Reason.UNKNOWN_KEY is reason(follower, leaked.token())
    assert (False, True) == tuple(
        follower.has_key(each.record.key_id) for each in (leaked, other)
    )


async def test_a_principal_holds_until_its_end(follower, store, clock):
    """Open sockets ask for it."""
    signing = Signing(clock)
    await store.publish_key(signing.record, clock.wall_ms())
    await follower.read()
    principal = follower.verify(signing.token())
    clock.advance(599_000)
    assert follower.still_valid(principal)
    clock.advance(1_000)
    assert not follower.still_valid(principal)


async def test_messages_that_are_none_are_passed_over(follower):
    """Whoever may publish can't stop us."""
    for data in (b"", b"\xff", b"{}", b"[]", b'{"kind":"all"}'):
        follower.take(data)
    assert 0 == len(follower.revocations)


async def test_without_a_server_tokens_are_checked_by_what_was_read(clock, redis):
    """Quotes go on; the age tells how long already."""
    signing = Signing(clock)
    await AccessStore(redis).publish_key(signing.record, clock.wall_ms())
    follower = AccessFollower(AccessStore(redis), clock, RULES)
    assert (False, float("inf")) == (follower.ready, follower.age_ms)
    await follower.read()
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "t") as nowhere:
        follower._store = AccessStore(nowhere)
        clock.advance(40_000)
        assert "s" == (await follower.verify_or_reread(signing.token())).sub
        with pytest.raises(TokenRefused):
            await follower.verify_or_reread(Signing(clock).token())
    assert (True, 40_000) == (follower.ready, follower.age_ms)
