"""The wait after failures: full jitter within growing bounds."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.pacing.backoff import full_jitter_s


JITTER = st.floats(0, 1, exclude_max=True)


@given(st.integers(-5, 10**9), JITTER, st.floats(0.01, 5), st.floats(0.01, 60))
def test_the_wait_lies_within_its_bounds(failures, jitter, first_s, max_s):
    """Never below zero, never above the maximum, and below the first wait after one failure."""
    wait_s = full_jitter_s(failures, lambda: jitter, first_s=first_s, max_s=max_s)

    assert 0 <= wait_s < max_s
    if failures <= 1:
        assert wait_s < first_s


@given(st.integers(1, 40), JITTER)
def test_the_bound_doubles_until_the_maximum(failures, jitter):
    """The jitter takes an equal part of a bound that doubles with each failure."""
    bound_s = min(5, 0.25 * 2 ** (failures - 1))

    assert jitter * bound_s == full_jitter_s(failures, lambda: jitter)


def test_jitter_is_full():
    """Instances that failed together do not try together: any part of the bound, also none of it."""
    assert 0 == full_jitter_s(3, lambda: 0.0)
    assert 0.5 == full_jitter_s(3, lambda: 0.5)
