"""Who is let in, as whom, and how many of him, on a real store."""

import asyncio

import pytest

from bse_shared.access.principal import ANONYMOUS, Principal
from bse_shared.access.revocations import Revocation
from bse_shared.access.roles import ROLES
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.stream_leases import StreamLeases
from bse_shared.service.system_clock import SystemClock
from bse_ws_hub.admission.refused import Refused


WITHIN_S = 5


def an_api_key(sub="key:abc", role="trader", **changed):
    """What the gateway makes of an API key."""
    now_ms = SystemClock().wall_ms()
    given = {"sub": sub, "role": role, "scopes": ROLES[role].scopes}
    return Principal(**{**given, "issued_at_ms": now_ms, "key_id": "abc", **changed})


async def until_held(redis, counts):
    """The store has heard these counts of key:abc, by hub. Bounded."""
    async with asyncio.timeout(WITHIN_S):
        while counts != await redis.hgetall(keys.streams_of("key:abc")):  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.005)


async def test_a_token_proves_who_it_is_and_brings_the_limits_of_the_role(
    doors, signing
):
    """As the client is told."""
    door = await doors()
    trader = (await door.admit(token=signing.token())).identity
    service = (await door.admit(token=signing.token("key:s", "service"))).identity
    assert ("key:abc", "trader") == (
        trader.described["subject"],
        trader.described["role"],
    )
    assert {
        "symbols": 3_000,
        "commands_per_s": 50,
        "connections": 20,
        "all_symbols": False,
    } == trader.limits
    assert (10_000, 200, 1_000, True) == tuple(service.limits.values())


async def test_who_shows_nothing_is_nobody_where_that_is_allowed(doors):
    """Counted by address, IPv6 by its /64."""
    door = await doors()
    nobody = (await door.admit("2001:db8::1")).identity
    assert (None, True) == (nobody.described, nobody.proved)
    assert "ip:2001:db8::/64" == nobody.owner


async def test_where_something_is_required_nobody_waits_to_prove_himself(
    doors, signing
):
    """He is let in, but may do nothing yet; then his limits are those of the role."""
    door = await doors(mode="required")
    admission = await door.admit()
    assert not admission.identity.proved
    assert 0 == door.keeper.desk.here("ip:192.0.2.1")
    await door.keeper.authenticate(admission, signing.token())
    assert admission.identity.proved
    assert 1 == door.keeper.desk.here("key:abc")
    door.keeper.leave(admission)
    assert 0 == door.keeper.desk.owners + len(door.keeper.places._unproved)


async def test_unproved_connections_of_one_address_are_bounded(doors):
    """They cost a socket each, for five seconds."""
    door = await doors(mode="required")
    for _ in range(100):
        last = await door.admit()
    assert ("connection_limit", "") == await door.why_not()
    door.keeper.leave(last)
    assert await door.admit()


async def test_off_asks_and_counts_nobody(doors):
    """Whatever is shown."""
    door = await doors(mode="off", arrivals_per_s=1)
    for _ in range(30):
        admission = await door.admit(token="rubbish")
    assert (None, True) == (admission.identity.described, admission.identity.proved)
    assert (10_000, 200, None, True) == tuple(admission.identity.limits.values())
    await door.keeper.authenticate(admission, "rubbish")


@pytest.mark.parametrize("refused_times", [3])
async def test_an_address_that_fails_too_often_is_not_listened_to(
    doors, signing, refused_times
):
    """Guessing is slow; others are not touched."""
    door = await doors(failures_per_minute=refused_times)
    for _ in range(refused_times):
        assert ("token_refused", "ticket") == await door.why_not(ticket="guess")
    assert ("rate_limited", "") == await door.why_not(token=signing.token())
    assert ("rate_limited", "") == await door.why_not(ticket="guess")
    assert ("rate_limited", "") == await door.why_not()
    assert 61 >= door.refused[-1].retry_after_s > 1
    assert await door.admit("192.0.2.2", token=signing.token())


async def test_too_many_arrivals_are_told_when_to_come_again(doors, signing):
    """By address before anything is judged, and by identity."""
    door = await doors(arrivals_per_s=2)
    for _ in range(4):
        await door.admit()
    assert ("rate_limited", "") == await door.why_not()
    assert {"Retry-After": "1"} == door.refused[-1].headers
    for number in range(4):
        await door.admit(f"192.0.3.{number}", token=signing.token())
    assert ("rate_limited", "") == await door.why_not(
        "192.0.3.9", token=signing.token()
    )


async def test_a_ticket_opens_once_as_whom_it_was_made_for(doors, redis):
    """With its client id; a second time it proves nothing."""
    door, store = await doors(), AccessStore(redis)
    ticket = await store.issue_ticket("desk", an_api_key())
    admission = await door.admit(ticket=ticket)
    assert ("desk", "key:abc") == (
        admission.client_id,
        admission.identity.principal.sub,
    )
    assert ("token_refused", "ticket") == await door.why_not(ticket=ticket)


@pytest.mark.parametrize(
    ("changed", "asked", "refused"),
    [
        ({"expires_at_ms": 1}, {}, ("token_refused", "expired")),
        ({"scopes": frozenset({"quotes:read"})}, {}, ("token_refused", "scope")),
        ({}, {"client_id": "other"}, ("not_yours", "")),
    ],
)
async def test_a_ticket_that_opens_nothing(doors, redis, changed, asked, refused):
    """It ended, grants no stream, or is for another client id."""
    door = await doors()
    ticket = await AccessStore(redis).issue_ticket("desk", an_api_key(**changed))
    assert refused == await door.why_not(ticket=ticket, **asked)


async def test_a_ticket_of_a_revoked_identity_opens_nothing(doors, redis):
    """Though it was made before."""
    door, store = await doors(), AccessStore(redis)
    ticket = await store.issue_ticket("desk", an_api_key())
    now_ms = SystemClock().wall_ms() + 1
    door.access.note(
        Revocation(kind="sub", value="key:abc", at_ms=now_ms, until_ms=now_ms + 9_999)
    )
    assert ("token_refused", "revoked") == await door.why_not(ticket=ticket)


async def test_a_ticket_of_nobody_proves_nothing_where_something_is_required(
    doors, redis
):
    """The gateway may be more open than this hub."""
    door = await doors(mode="required")
    ticket = await AccessStore(redis).issue_ticket("desk", ANONYMOUS)
    admission = await door.admit(ticket=ticket)
    assert (False, "") == (admission.identity.proved, admission.client_id)


async def test_the_limit_on_streams_holds_over_two_hubs(doors, signing, redis):
    """What is closed at one is free at the other."""
    first, second = await doors("h1"), await doors("h2")
    held = [await first.admit(token=signing.token(role="viewer")) for _ in range(6)]
    for _ in range(4):
        await second.admit(token=signing.token(role="viewer"))
    for door in (first, second):
        assert ("connection_limit", "") == await door.why_not(
            token=signing.token(role="viewer")
        )
    first.keeper.leave(held.pop())
    await until_held(redis, {b"h1": b"5", b"h2": b"4"})
    assert await second.admit(token=signing.token(role="viewer"))


async def test_what_came_at_once_is_counted_right(doors, signing, redis):
    """One batch for the store; those over the limit are refused, and the count stays true."""
    door = await doors()
    coming = [door.admit(token=signing.token(role="viewer")) for _ in range(25)]
    found = await asyncio.gather(*coming, return_exceptions=True)
    admitted = [each for each in found if not isinstance(each, Refused)]
    assert (10, 10) == (len(admitted), door.keeper.desk.here("key:abc"))
    for admission in admitted:
        door.keeper.leave(admission)
    await until_held(redis, {})
    assert (0, {}) == (door.keeper.desk.owners, door.keeper._streams)


async def test_with_the_store_away_the_hub_counts_by_itself(doors, nowhere):
    """And nobody waits for it; but no ticket can be redeemed, and no token judged before keys were read."""
    door = await doors(client=nowhere)
    held = [await door.admit() for _ in range(10)]
    assert ("connection_limit", "") == await door.why_not()
    door.keeper.leave(held[0])
    assert await door.admit(client_id="desk", session_name="s")
    assert ("not_ready", "") == await door.why_not("192.0.2.2", token="a.b.c")
    assert 503 == door.refused[-1].why.status


async def test_after_the_store_came_back_the_others_know_what_is_held_here(
    doors, redis, signing
):
    """What was counted alone is told; what the store lost, too."""
    first, second = await doors("h1"), await doors("h2")
    for _ in range(10):
        await first.admit(token=signing.token(role="viewer"))
    for number in range(3):
        await first.admit(token=signing.token(f"key:{number}"))
    names = [keys.streams_of(f"key:{name}") for name in ("abc", "0", "1", "2")]
    await redis.delete(keys.STREAM_HUBS, *names)
    await second.keeper.desk.renew()
    await first.keeper.desk.renew()
    await until_held(redis, {b"h1": b"10"})
    assert [{b"h1": b"1"}] * 3 == [await redis.hgetall(name) for name in names[1:]]
    assert ("connection_limit", "") == await second.why_not(
        token=signing.token(role="viewer")
    )


async def test_a_client_id_is_its_owners(doors, signing):
    """Others are refused; nobody in particular may prove himself yet."""
    door = await doors()
    mine = await door.admit(token=signing.token(), client_id="desk")
    assert "desk" == mine.client_id
    assert ("not_yours", "") == await door.why_not(
        token=signing.token("key:other"), client_id="desk"
    )
    nobody = await door.admit(client_id="desk")
    assert ("", "desk") == (nobody.client_id, nobody.unclaimed)
    await door.keeper.authenticate(nobody, signing.token())
    assert ("desk", "") == (nobody.client_id, nobody.unclaimed)


async def test_a_refresh_keeps_its_subject(doors, signing):
    """Else it would be another's stream."""
    door = await doors()
    admission = await door.admit(token=signing.token(lifetime_s=60))
    before_ms = admission.identity.principal.expires_at_ms
    await door.keeper.authenticate(admission, signing.token())
    assert before_ms < admission.identity.principal.expires_at_ms
    with pytest.raises(Refused) as caught:
        await door.keeper.authenticate(admission, signing.token("key:other"))
    assert "other_subject" == caught.value.why.reason
    assert 1 == door.keeper.desk.here("key:abc")


async def test_who_proves_himself_is_counted_as_himself(doors, signing):
    """And no longer by his address; one too many is told so."""
    door = await doors()
    for _ in range(10):
        await door.admit("192.0.2.2", token=signing.token(role="viewer"))
    nobody = await door.admit()
    with pytest.raises(Refused) as caught:
        await door.keeper.authenticate(nobody, signing.token(role="viewer"))
    assert "connection_limit" == caught.value.why.reason
    await door.keeper.authenticate(nobody, signing.token("key:other"))
    assert (0, 1) == (
        door.keeper.desk.here("ip:192.0.2.1"),
        door.keeper.desk.here("key:other"),
    )


async def test_who_leaves_while_he_proves_himself_is_not_counted(doors, signing):
    """The store's answer may come after the end of the connection."""
    door = await doors()
    nobody = await door.admit(session_name="s")
    async with asyncio.TaskGroup() as group:
        group.create_task(door.keeper.authenticate(nobody, signing.token()))
        await asyncio.sleep(0)
        door.keeper.leave(nobody)
    assert (0, 0) == (door.keeper.desk.owners, len(door.keeper.takeovers))


async def test_of_two_streams_with_a_name_the_newest_lives(doors, signing):
    """Here at once; a name of somebody else is another."""
    door = await doors()
    older = await door.admit(token=signing.token(), session_name="desk")
    await door.admit(token=signing.token("key:other"), session_name="desk")
    assert [] == door.taken
    newer = await door.admit(token=signing.token(), session_name="desk")
    assert [older] == door.taken
    assert (True, False) == (older.taken_over, newer.taken_over)
    door.keeper.leave(older)  # which holds the name no more
    await door.admit(token=signing.token(), session_name="desk")
    assert [older, newer] == door.taken


async def test_who_has_proved_nothing_holds_no_name(doors, signing):
    """Until he proves who he is: then it is his."""
    door = await doors(mode="required")
    first, second = [await door.admit(session_name="desk") for _ in range(2)]
    assert (0, []) == (len(door.keeper.takeovers), door.taken)
    for admission in (first, second):
        await door.keeper.authenticate(admission, signing.token())
    assert [first] == door.taken


async def test_a_takeover_that_is_told_late_takes_nothing(doors, signing, redis):
    """Who holds the name since a later moment keeps it."""
    first, second = await doors("h1"), await doors("h2")
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.TAKEOVER_CHANNEL)
        await pubsub.get_message(timeout=1)
        await second.admit(token=signing.token(), session_name="desk")
        late = (await pubsub.get_message(timeout=1))["data"]
    newer = await first.admit(token=signing.token(), session_name="desk")
    first.keeper.takeovers.take(late)
    first.keeper.takeovers.take(b"no message")
    assert ([], False) == (first.taken, newer.taken_over)


async def test_a_takeover_at_another_hub_is_heard_or_found(doors, signing, redis):
    """By the channel; or, where that lost it, at the next renewal."""
    first, second = await doors("h1"), await doors("h2")
    heard = await first.admit(token=signing.token(), session_name="a")
    found = await first.admit(token=signing.token(), session_name="b")
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(keys.TAKEOVER_CHANNEL)
        await pubsub.get_message(timeout=1)
        newer = await second.admit(token=signing.token(), session_name="a")
        message = (await pubsub.get_message(timeout=1))["data"]
    for door in (first, second):
        door.keeper.takeovers.take(message)
    assert ([heard], []) == (first.taken, second.taken)

    await second.admit(token=signing.token(), session_name="b")
    for door in (first, second):
        await door.keeper.takeovers.renew()
    assert ([heard, found], []) == (first.taken, second.taken)
    first.keeper.leave(heard)
    await second.keeper.takeovers.renew()
    assert not newer.taken_over


async def test_who_takes_over_needs_no_further_place(doors, signing):
    """A client at its limit can always come back to its own session."""
    first, second = await doors("h1"), await doors("h2")
    for number in range(10):
        await first.admit(token=signing.token(role="viewer"), session_name=str(number))
    assert await second.admit(token=signing.token(role="viewer"), session_name="3")
    assert ("connection_limit", "") == await second.why_not(
        token=signing.token(role="viewer"), session_name="new"
    )


async def test_an_endless_key_ends_where_nothing_is_heard_of_revocations(doors, redis):
    """An API key's stream may last for ever; but no revocation is heard while the store is away."""
    door = await doors()
    ticket = await AccessStore(redis).issue_ticket("desk", an_api_key())
    principal = (await door.admit(ticket=ticket)).identity.principal
    assert door.keeper.proofs.hold(principal)
    door.access._read_at_ms -= 601_000
    assert not door.keeper.proofs.hold(principal)
    assert door.keeper.proofs.hold(ANONYMOUS)


async def test_a_hub_that_leaves_frees_its_places(doors, signing, redis):
    """At its end, all at once."""
    first, second = await doors("h1"), await doors("h2")
    for _ in range(10):
        await first.admit(token=signing.token(role="viewer"))
    await first.keeper.desk.leave()
    assert await second.admit(token=signing.token(role="viewer"))
    assert not await StreamLeases(redis, SystemClock(), "h1").renew()
