"""Refresh tokens as text."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.access.secret_text import ALPHABET
from bse_shared.access.sessions import (
    Family,
    RefreshToken,
    new_refresh_token,
    parse_refresh_token,
)


TOKENS = st.builds(
    RefreshToken,
    st.text(ALPHABET, min_size=16, max_size=16),
    st.text(ALPHABET, min_size=32, max_size=32),
)


@given(TOKENS, st.integers(0, 100), st.characters(max_codepoint=1000))
def test_a_token_reads_back_and_a_slip_of_the_hand_does_not(token, place, character):
    """A typing error must not look like a stolen token."""
    text = token.text
    place %= len(text)
    typed = text[:place] + character + text[place + 1 :]
    assert token == parse_refresh_token(text)
    assert typed == text or parse_refresh_token(typed) is None


@given(TOKENS, TOKENS)
def test_digests_are_of_this_secret_in_this_family(one, other):
    """Nothing of it can be used elsewhere."""
    same = one.digest(b"p") == other.digest(b"p")
    assert same == (one == other)


def test_a_successor_is_of_the_same_family():
    """With another secret."""
    turn = iter(range(1000))
    first = new_refresh_token(lambda a: a[next(turn) % len(a)])
    following = first.successor(lambda a: a[next(turn) % len(a)])
    assert first.family_id == following.family_id
    assert first.secret != following.secret


@given(TOKENS)
def test_tokens_do_not_tell_the_family(token):
    """Who reads a session's name in an access token can't make up a refresh token."""
    family = Family(
        family_id=token.family_id, api_key_id="k", sub="s", scopes=[], expires_at_ms=0
    )
    assert token.family_id not in family.session_id
