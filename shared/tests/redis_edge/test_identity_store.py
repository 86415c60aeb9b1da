"""The gateway's own records, on a real server."""

import asyncio

import msgspec
import pytest

from bse_shared.access.api_keys import ApiKeyRecord
from bse_shared.access.audit import Act, first_break
from bse_shared.access.sessions import Family
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.identity_store import FAMILIES_MAX, IdentityStore


NOW_MS = 1_795_334_400_000
PEPPER = b"p" * 32
FAMILY = Family(
    family_id="f1",
    api_key_id="abcd1234",
    sub="key:abcd1234",
    scopes=[],
    expires_at_ms=NOW_MS + 60_000,
)
RECORD = ApiKeyRecord(
    key_id="abcd1234",
    kind="live",
    name="n",
    role="viewer",
    scopes=[],
    secrets=[],
    created_at_ms=NOW_MS,
    created_by="t",
)


@pytest.fixture
def store(redis):
    """The store."""
    return IdentityStore(redis, PEPPER)


async def test_a_record_is_changed_only_by_who_has_seen_it_as_it_is(store):
    """Of two administrators at once one is told to look again."""
    first = msgspec.structs.replace(RECORD, name="first")
    assert await store.change_api_key(None, RECORD)
    assert not await store.change_api_key(None, first)
    assert await store.change_api_key(RECORD, first)
    assert not await store.change_api_key(RECORD, RECORD)
    assert first == await store.api_key("abcd1234")


async def test_keys_are_listed_with_their_last_use(store):
    """Never used is None."""
    await store.change_api_key(None, RECORD)
    assert {"abcd1234": (RECORD, None)} == await store.api_keys()
    await store.api_key_used("abcd1234", NOW_MS)
    assert {"abcd1234": (RECORD, NOW_MS)} == await store.api_keys()
    assert await store.api_key("unknown0") is None


async def test_a_refresh_token_is_good_once(store):
    """The one before ends the family: two hold it."""
    await store.open_family(FAMILY, "d1", NOW_MS)
    assert (FAMILY, False) == await store.rotate("f1", "d1", "d2")
    assert (FAMILY, False) == await store.rotate("f1", "d2", "d3")
    assert (FAMILY, True) == await store.rotate("f1", "d2", "d4")
    assert await store.rotate("f1", "d3", "d5") is None


async def test_of_many_at_once_one_gets_the_next_token(store):
    """The others end the family; whoever was quick has a token that is good for nothing."""
    await store.open_family(FAMILY, "d1", NOW_MS)
    found = await asyncio.gather(
        *(store.rotate("f1", "d1", f"next{n}") for n in range(6))
    )
    assert [False, True] == [each.reused for each in found if each]
    assert 4 == found.count(None)


async def test_a_family_lives_as_long_as_its_sign_in(store, redis):
    """Rotation prolongs nothing."""
    await store.open_family(FAMILY, "d1", NOW_MS)
    await redis.pexpire(keys.family("f1"), 5_000)
    await store.rotate("f1", "d1", "d2")
    assert await redis.pttl(keys.family("f1")) <= 5_000


async def test_all_families_of_a_subject_end_together(store):
    """Others go on."""
    other = msgspec.structs.replace(FAMILY, family_id="f3", sub="key:other000")
    second = msgspec.structs.replace(FAMILY, family_id="f2")
    for family in (FAMILY, second, other):
        await store.open_family(family, "d", NOW_MS)
    await store.end_families_of(FAMILY.sub)
    found = [await store.rotate(each, "d", "e") for each in ("f1", "f2", "f3")]
    assert [None, None, (other, False)] == found
    await store.end_family("f3")
    assert await store.rotate("f3", "e", "g") is None


async def test_sign_ins_of_a_subject_are_bounded(store, redis):
    """The one that would end first makes room; those that have ended are not even counted."""
    for number in range(FAMILIES_MAX + 3):
        family = msgspec.structs.replace(
            FAMILY, family_id=f"n{number}", expires_at_ms=NOW_MS + 60_000 + number
        )
        await store.open_family(family, "d", NOW_MS)
    assert FAMILIES_MAX == await redis.zcard(keys.families_of(FAMILY.sub))
    assert [None, True] == [
        found and found.reused
        for found in [await store.rotate(each, "x", "y") for each in ("n2", "n3")]
    ]
    later_ms = NOW_MS + 600_000
    family = msgspec.structs.replace(FAMILY, expires_at_ms=later_ms + 1_000)
    await store.open_family(family, "d", later_ms)
    assert 1 == await redis.zcard(keys.families_of(FAMILY.sub))


async def test_acts_of_many_at_once_make_one_chain(store):
    """Nobody's act is lost, and the chain holds."""

    async def act(number):
        await store.write_audit(Act(at_ms=number, who="w", what="x", result="done"))

    await asyncio.gather(*(act(n) for n in range(8)))
    entries, newest = await store.read_audit(100)
    assert set(range(8)) == {entry.act.at_ms for entry in entries}
    assert first_break(entries, newest, PEPPER) is None
    last_two, newest = await store.read_audit(2)
    assert entries[-2:] == last_two
    assert first_break(last_two, newest, PEPPER) is None


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_an_entry_deleted_in_the_store_shows(store, redis, place):
    """Also the newest one, and one that was made unreadable."""
    for number in range(3):
        await store.write_audit(Act(at_ms=number, who="w", what="x", result="r"))
    await redis.lset(keys.AUDIT, place, b"gone")
    assert first_break(*await store.read_audit(9), PEPPER) in {place, place + 1}
    await redis.lrem(keys.AUDIT, 1, b"gone")
    broken = first_break(*await store.read_audit(9), PEPPER)
    # The oldest end is cut by the bound anyway: what is left is a true log.
    assert broken == (None if place == 0 else place)


async def test_control_characters_and_lines_stay_in_their_field(store):
    """Nobody writes a second entry by his name."""
    who = 'x"}\r\n{"act":\x1b[31m\0'
    await store.write_audit(Act(at_ms=1, who=who, what="x", result="r"))
    ((entry,), _) = await store.read_audit(9)
    assert who == entry.act.who
