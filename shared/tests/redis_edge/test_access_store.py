"""What every door reads to let somebody in, on a real server."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bse_shared.access.principal import ANONYMOUS, Principal
from bse_shared.access.revocations import Revocation
from bse_shared.access.signing_keys import record_of
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.access_store import KEYS_CHANGED, AccessStore
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis


NOW_MS = 1_795_334_400_000
TRADER = Principal(
    sub="key:abcd1234",
    role="trader",
    scopes=frozenset({"quotes:read"}),
    jti="t",
    expires_at_ms=NOW_MS + 1,
)


@pytest.fixture
def store(redis):
    """The store."""
    return AccessStore(redis)


def a_key(until_ms):
    """A public key that nobody has seen yet."""
    return record_of(Ed25519PrivateKey.generate().public_key(), until_ms)


def a_revocation(value, until_ms=NOW_MS + 9):
    """A token revoked now."""
    return Revocation(kind="jti", value=value, at_ms=NOW_MS, until_ms=until_ms)


async def heard(redis, channel, act):
    """What is told on a channel while something is done."""
    async with redis.pubsub(ignore_subscribe_messages=False) as pubsub:
        await pubsub.subscribe(channel)
        await pubsub.get_message(timeout=1)
        await act
        message = await pubsub.get_message(timeout=1)
        return message and message["data"]


async def test_two_signing_keys_live_side_by_side(store, redis):
    """A new one is told; a renewed one is not; one that ran out goes."""
    old, new = a_key(NOW_MS + 10), a_key(NOW_MS + 99)
    await store.publish_key(old, NOW_MS)
    told = await heard(redis, keys.ACCESS_CHANNEL, store.publish_key(new, NOW_MS))
    both = (await store.state(NOW_MS)).signing_keys
    await store.publish_key(new, NOW_MS + 10)

    assert KEYS_CHANGED == told
    assert {old.key_id, new.key_id} == {key.key_id for key in both}
    assert [new] == (await store.state(NOW_MS)).signing_keys


async def test_a_revocation_is_kept_until_it_concerns_nothing_and_told_at_once(
    store, redis
):
    """The message is a hint, the set is the truth."""
    await store.revoke(a_revocation("old", NOW_MS + 1), NOW_MS)
    told = await heard(
        redis, keys.ACCESS_CHANNEL, store.revoke(a_revocation("new"), NOW_MS)
    )
    assert b'"new"' in told
    assert {"old", "new"} == {r.value for r in (await store.state(NOW_MS)).revocations}
    assert ["new"] == [r.value for r in (await store.state(NOW_MS + 1)).revocations]
    await store.revoke(a_revocation("newer"), NOW_MS + 1)
    assert 2 == await redis.zcard(keys.REVOCATIONS)


async def test_a_ticket_opens_once(store, redis):
    """For the client id and the identity that it was made for."""
    ticket = await store.issue_ticket("c-1", TRADER)
    assert 25 < await redis.ttl((await redis.keys("*ticket*"))[0]) <= 30
    assert not await redis.keys(f"*{ticket}*")
    found = await store.redeem_ticket(ticket)
    assert ("c-1", TRADER) == (found.client_id, found.principal)
    assert await store.redeem_ticket(ticket) is None


async def test_of_many_who_redeem_a_ticket_at_once_one_gets_in(store):
    """Whatever the timing."""
    ticket = await store.issue_ticket("c-1", ANONYMOUS)
    found = await asyncio.gather(*(store.redeem_ticket(ticket) for _ in range(8)))
    assert 1 == sum(each is not None for each in found)


@pytest.mark.parametrize("text", ["", "x", "a" * 65, "\udc80", "*", "a\0b"])
async def test_what_is_no_ticket_opens_nothing(store, text):
    """And breaks nothing."""
    assert await store.redeem_ticket(text) is None


async def test_a_client_id_belongs_to_who_used_it_first(store, redis):
    """Its owner keeps it; nobody else gets it, with or without a name."""
    other = Principal(sub="key:other000", role="admin", scopes=frozenset())
    assert await store.may_use_client("c-1", TRADER)
    await redis.expire(keys.client_owner("c-1"), 5)
    assert await store.may_use_client("c-1", TRADER)
    assert not await store.may_use_client("c-1", other)
    assert not await store.may_use_client("c-1", ANONYMOUS)
    assert await redis.ttl(keys.client_owner("c-1")) > 5


async def test_what_nobody_owns_anybody_may_use_who_knows_it(store):
    """As it was before there were identities; the first with a name makes it his."""
    assert await store.may_use_client("c-2", ANONYMOUS)
    assert await store.may_use_client("c-2", ANONYMOUS)
    assert await store.may_use_client("c-2", TRADER)
    assert not await store.may_use_client("c-2", ANONYMOUS)


async def test_what_another_version_wrote_is_passed_over(store, redis):
    """A newer gateway must not blind an older hub."""
    await redis.hset(keys.SIGNING_KEYS, "k", b'{"alg":"future"}')
    await redis.zadd(keys.REVOCATIONS, {b"\xff": NOW_MS + 9, b"{}": NOW_MS + 9})
    state = await store.state(NOW_MS)
    assert ([], []) == (state.signing_keys, state.revocations)


async def test_without_a_server_there_is_one_typed_error():
    """Whatever the driver raises."""
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "t") as nowhere:
        lost = AccessStore(nowhere)
        for call in (
            lost.state(0),
            lost.publish_key(a_key(1), 0),
            lost.revoke(a_revocation("x"), 0),
            lost.issue_ticket("c", TRADER),
            lost.redeem_ticket("t"),
            lost.may_use_client("c", TRADER),
            lost.tell_spending(b""),
        ):
            with pytest.raises(StoreUnavailable):
                await call
