"""Laws of access tokens. The table of forged ones is with the gateway's tests, where they come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.access.roles import GRANTABLE, ROLES, Scope
from bse_shared.access.tokens import (
    TOKEN_LENGTH_MAX,
    Reason,
    TokenRefused,
    TokenRules,
    verify,
)


NOW_S = 1_795_334_400
RULES = TokenRules("https://gateway.example", "quotes")
TEXT = st.characters(min_codepoint=33, max_codepoint=126)


def reason(mint, token, now_s=NOW_S):
    """Why the token is refused."""
    with pytest.raises(TokenRefused) as caught:
        verify(token, mint.keys, RULES, now_s)
    return caught.value.reason


def test_a_good_token_proves_its_subject(mint):
    """Everything that doors decide by comes out of it."""
    token = mint.token(mint.claims(sid="s-1", nbf=NOW_S))
    found = verify(token, mint.keys, RULES, NOW_S)
    assert ("key:abcd1234", "trader", "t-1", "s-1") == (
        found.sub,
        found.role,
        found.jti,
        found.session_id,
    )
    assert {Scope.QUOTES_READ, Scope.STREAM_READ} == found.scopes
    assert (NOW_S * 1000, (NOW_S + 600) * 1000) == (
        found.issued_at_ms,
        found.expires_at_ms,
    )
    assert mint.record.key_id == found.key_id
    assert ROLES["trader"].limits == found.limits


@given(
    lifetime_s=st.integers(1, 600),
    age_s=st.integers(-120, 1200),
    role=st.sampled_from(GRANTABLE),
    scopes=st.frozensets(st.sampled_from(Scope)),
)
def test_a_token_holds_from_issue_to_expiry_give_or_take_the_leeway(
    mint, lifetime_s, age_s, role, scopes
):
    """And never gives more than the role has today."""
    claims = mint.claims(
        exp=NOW_S + lifetime_s, role=role, scope=" ".join(sorted(scopes))
    )
    token = mint.token(claims)
    now_s = NOW_S + age_s
    if age_s < -30:
        assert Reason.NOT_YET is reason(mint, token, now_s)
    elif age_s >= lifetime_s + 30:
        assert Reason.EXPIRED is reason(mint, token, now_s)
    else:
        found = verify(token, mint.keys, RULES, now_s)
        assert found.scopes == scopes & ROLES[role].scopes


@given(place=st.integers(0, 10_000), character=TEXT)
def test_a_token_with_one_other_character_is_refused(mint, place, character):
    """Only the last character of the signature has bits that do not count."""
    token = mint.token()
    place %= len(token) - 1
    forged = token[:place] + character + token[place + 1 :]
    if forged != token:
        reason(mint, forged)


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda b: b.decode("latin")))
def test_text_that_is_no_token_is_refused_and_nothing_else_happens(mint, text):
    """No other exception, whatever the text."""
    reason(mint, text)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_a_claim_of_another_type_is_refused(mint, value):
    """Signed or not: claims are typed."""
    for name in ("iss", "aud", "sub", "jti", "role", "scope", "iat", "exp"):
        good = mint.claims()[name]
        if not isinstance(value, type(good)):
            assert Reason.CLAIMS is reason(
                mint, mint.token({**mint.claims(), name: value})
            )


@pytest.mark.parametrize("length", [TOKEN_LENGTH_MAX, TOKEN_LENGTH_MAX + 1])
def test_the_length_is_bounded_before_anything_is_read(mint, length):
    """A huge token costs nothing."""
    expected = Reason.TOO_LONG if length > TOKEN_LENGTH_MAX else Reason.MALFORMED
    assert expected is reason(mint, "a" * length)


def test_a_key_that_is_not_in_the_set_is_unknown_whatever_its_id_looks_like(mint):
    """The id is looked up, never followed."""
    for key_id in ("../../etc/passwd", "http://evil.example/k", "", "a" * 500):
        assert Reason.UNKNOWN_KEY is reason(mint, mint.token(kid=key_id))
