"""The laws of deltas."""

from hypothesis import given

from bse_shared.quotes.delta import apply, change_seen, diff, mask_of, merge
from bse_shared.quotes.quote import FIELDS
from bse_shared.testing.strategies import DELTAS, QUOTES


@given(QUOTES, QUOTES)
def test_applying_the_difference_gives_the_other(a, b):
    """apply(a, diff(a, b)) == b."""
    assert b == apply(a, diff(a, b))


@given(QUOTES)
def test_no_difference_is_empty(a):
    """diff(a, a) is empty."""
    assert {} == diff(a, a)


@given(QUOTES, DELTAS, DELTAS)
def test_merging_is_applying_one_after_the_other(q, x, y):
    """apply(apply(q, x), y) == apply(q, merge(x, y))."""
    assert apply(apply(q, x), y) == apply(q, merge(x, y))


@given(DELTAS, DELTAS, DELTAS)
def test_merge_is_associative(x, y, z):
    """How a run of deltas is grouped does not matter."""
    assert merge(merge(x, y), z) == merge(x, merge(y, z))


@given(QUOTES, DELTAS)
def test_seen_fields_change_only_themselves(q, seen):
    """What a source did not report stays; what it reported is taken."""
    delta, after = change_seen(q, seen)

    assert after == apply(q, delta)

    assert after == apply(q, seen)
    assert ({}, after) == change_seen(after, seen)


@given(QUOTES, DELTAS)
def test_a_newer_writers_fields_are_passed_over(q, delta):
    """Numbers beyond ours change nothing."""
    assert apply(q, delta) == apply(q, {**delta, len(FIELDS): 1, 99: 2})


@given(DELTAS, DELTAS)
def test_masks_merge_as_deltas_do(x, y):
    """mask(merge) is the union of the masks."""
    assert mask_of(merge(x, y)) == mask_of(x) | mask_of(y)
