"""Laws of the table of revocations."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.access.principal import Principal
from bse_shared.access.revocations import Revocation, Revocations


NAMES = st.sampled_from(["a", "b", ""])
PRINCIPALS = st.builds(
    lambda sub, jti, sid, at: Principal(
        sub=sub,
        role="viewer",
        scopes=frozenset(),
        jti=jti,
        session_id=sid,
        issued_at_ms=at,
    ),
    NAMES,
    NAMES,
    NAMES,
    st.integers(0, 10),
)
REVOCATIONS = st.builds(
    lambda kind, value, at, life: Revocation(
        kind=kind, value=value, at_ms=at, until_ms=at + life
    ),
    st.sampled_from(["jti", "sid", "sub"]),
    st.sampled_from(["a", "b"]),
    st.integers(0, 10),
    st.integers(1, 20),
)


@given(st.lists(REVOCATIONS, max_size=8), PRINCIPALS)
def test_the_table_covers_what_one_of_its_revocations_covers(revocations, principal):
    """Looking up three names is as good as asking each revocation."""
    table = Revocations()
    table.add(revocations, now_ms=0)
    assert any(r.covers(principal) for r in revocations) == table.cover(principal)


@given(st.lists(REVOCATIONS, max_size=8), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(revocations, random):
    """Messages come late or twice; the set is read again and again."""
    shuffled = revocations * 2
    random.shuffle(shuffled)
    one, other = Revocations(), Revocations()
    one.add(revocations, 0)
    for each in shuffled:
        other.add([each], 0)
    assert {n: r.at_ms for n, r in one._held.items()} == {
        n: r.at_ms for n, r in other._held.items()
    }


@given(st.lists(REVOCATIONS, max_size=8), st.integers(0, 40))
def test_what_has_run_out_is_forgotten(revocations, now_ms):
    """The table is as small as it can be."""
    table = Revocations()
    table.add(revocations, 0)
    table.forget(now_ms)
    assert all(r.until_ms > now_ms for r in table._held.values())
    late = Revocations()
    assert late.add(revocations, 40) == []
    assert 0 == len(late)


def test_each_is_told_once():
    """Whoever closes sockets does it once."""
    table = Revocations()
    revocation = Revocation(kind="sub", value="a", at_ms=1, until_ms=9)
    assert [revocation] == table.add([revocation], 0)
    assert [] == table.add([revocation], 0)


def test_a_subject_may_come_back_with_what_is_issued_later():
    """Revoking everything is no ban."""
    table = Revocations()
    table.add([Revocation(kind="sub", value="a", at_ms=5, until_ms=99)], 0)

    def of(issued_at_ms):
        return Principal(
            sub="a", role="viewer", scopes=frozenset(), issued_at_ms=issued_at_ms
        )

    assert table.cover(of(5))
    assert not table.cover(of(6))
