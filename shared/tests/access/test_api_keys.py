"""Laws of API keys."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.access.api_keys import (
    DEMO_KEY,
    ApiKey,
    ApiKeyRecord,
    KeyReason,
    KeyRefused,
    KeySecret,
    admit,
    digest,
    new_key,
    parse,
    rotated,
)
from bse_shared.access.secret_text import ALPHABET, ID_ALPHABET


PEPPER = b"p" * 32
NOW_MS = 1_795_334_400_000
KEYS = st.builds(
    ApiKey,
    st.sampled_from(["live", "demo"]),
    st.text(ID_ALPHABET, min_size=8, max_size=8),
    st.text(ALPHABET, min_size=32, max_size=32),
)


def a_record(key, **changed):
    """The record of a key that was just made."""
    record = ApiKeyRecord(
        key_id=key.key_id,
        kind=key.kind,
        name="n",
        role="trader",
        scopes=["quotes:read"],
        secrets=[KeySecret(digest=digest(key, PEPPER), created_at_ms=NOW_MS)],
        created_at_ms=NOW_MS,
        created_by="t",
    )
    return msgspec.structs.replace(record, **changed)


def reason(key, record, now_ms=NOW_MS, pepper=PEPPER):
    """Why the key is refused."""
    with pytest.raises(KeyRefused) as caught:
        admit(key, record, pepper, now_ms)
    return caught.value.reason


@given(KEYS)
def test_a_key_reads_back_as_itself(key):
    """And looks like what it is."""
    assert key == parse(key.text)
    assert key.text.startswith(f"bsq_{key.kind}_{key.key_id}_")


@given(KEYS, st.integers(0, 100), st.characters(max_codepoint=1000))
def test_a_slip_of_the_hand_is_found_without_asking_the_store(key, place, character):
    """Any one other character."""
    text = key.text
    place %= len(text)
    typed = text[:place] + character + text[place + 1 :]
    if typed != text:
        with pytest.raises(KeyRefused) as caught:
            parse(typed)
        assert caught.value.reason in {KeyReason.MALFORMED, KeyReason.CHECKSUM}


@given(st.text(max_size=80))
def test_text_that_is_no_key_is_refused_and_nothing_else_happens(text):
    """No other exception, whatever the text."""
    with pytest.raises(KeyRefused):
        parse(text)


@given(KEYS)
def test_a_record_holds_nothing_of_the_secret(key):
    """A dump of the store opens nothing."""
    stored = msgspec.json.encode(a_record(key)).decode()
    assert key.secret not in stored
    assert digest(key, b"q" * 32) not in stored


@given(KEYS, KEYS)
def test_only_its_own_key_opens_a_record(key, other):
    """A secret does not open another id, nor under another kind."""
    record = a_record(key)
    assert "key:" + key.key_id == admit(key, record, PEPPER, NOW_MS).sub
    if other.secret != key.secret:
        guessed = key._replace(secret=other.secret)
        assert KeyReason.UNKNOWN is reason(guessed, record)
    assert KeyReason.UNKNOWN is reason(
        key._replace(kind="demo" if key.kind == "live" else "live"), record
    )
    assert KeyReason.UNKNOWN is reason(key, None)
    assert KeyReason.UNKNOWN is reason(key, record, pepper=b"q" * 32)


def test_an_end_and_a_revocation_hold_at_once():
    """At its end it is over, not after."""
    ending = a_record(DEMO_KEY, expires_at_ms=NOW_MS + 10)
    assert NOW_MS + 10 == admit(DEMO_KEY, ending, PEPPER, NOW_MS + 9).expires_at_ms
    assert KeyReason.EXPIRED is reason(DEMO_KEY, ending, NOW_MS + 10)
    gone = a_record(DEMO_KEY, revoked_at_ms=NOW_MS)
    assert KeyReason.REVOKED is reason(DEMO_KEY, gone)


def test_scopes_are_those_of_the_record_and_the_role():
    """A record from a time when the role had more gives no more."""
    record = a_record(DEMO_KEY, scopes=["quotes:read", "keys:admin"])
    assert {"quotes:read"} == admit(DEMO_KEY, record, PEPPER, NOW_MS).scopes
    unknown = a_record(DEMO_KEY, role="emperor")
    assert KeyReason.UNKNOWN is reason(DEMO_KEY, unknown)


def test_through_a_rotation_the_old_key_works_until_its_end_and_not_after():
    """Two live secrets, one identity."""
    old = new_key("live", iter_choice())
    new = old._replace(secret="n" * 32)
    record = rotated(a_record(old), new, PEPPER, NOW_MS, 60_000)
    for key in (old, new):
        assert "key:" + old.key_id == admit(key, record, PEPPER, NOW_MS + 59_999).sub
    assert KeyReason.EXPIRED is reason(old, record, NOW_MS + 60_000)
    assert admit(new, record, PEPPER, NOW_MS + 60_000).expires_at_ms is None


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=6))
def test_never_more_than_two_secrets_open_a_key(rotations):
    """However often it is rotated, and the newest always does."""
    key = new_key("live", iter_choice())
    record, now_ms = a_record(key), NOW_MS
    for number, (later_ms, grace_ms) in enumerate(rotations):
        now_ms += later_ms
        key = key._replace(secret=f"{number:032d}")
        record = rotated(record, key, PEPPER, now_ms, grace_ms)
        assert len(record.live_secrets(now_ms)) <= 2
        assert admit(key, record, PEPPER, now_ms)


def test_keys_are_drawn_by_whoever_draws():
    """Randomness is an argument."""
    assert new_key("live", iter_choice()) == new_key("live", iter_choice())


def iter_choice():
    """Draws the characters in turn."""
    turn = iter(range(10_000))
    return lambda alphabet: alphabet[next(turn) % len(alphabet)]
