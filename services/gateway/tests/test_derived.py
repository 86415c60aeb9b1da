"""The derived fields, by their laws."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_gateway.derived import Change, change_of, indian_time, rounded_ratio
from bse_shared.quotes.quote import Quote


paise = st.integers(-(10**12), 10**12)
above_zero = st.integers(1, 10**12)


@given(numerator=paise, denominator=above_zero)
def test_ratio_is_rounded_like_decimal_rounds_half_to_even(numerator, denominator):
    """Integer rounding agrees with exact decimal arithmetic, below zero too."""
    exact = Decimal(numerator).scaleb(0) / Decimal(denominator)
    nearest = rounded_ratio(numerator, denominator)
    assert abs(2 * (nearest * denominator - numerator)) <= denominator
    if abs(exact) < 10**9:
        assert exact.quantize(Decimal(1), ROUND_HALF_EVEN) == nearest


@pytest.mark.parametrize(
    ("numerator", "expected"), [(1, 0), (3, 2), (5, 2), (-1, 0), (-3, -2), (-5, -2)]
)
def test_a_half_goes_to_the_even_number(numerator, expected):
    """The rule is documented to users."""
    assert expected == rounded_ratio(numerator, 2)


@given(last=paise, previous=above_zero)
def test_change_is_exact_and_percent_is_the_nearest_hundredth(last, previous):
    """The percent is off by half a basis point at most."""
    change = change_of(Quote(last_paise=last, previous_close_paise=previous))
    assert last - previous == change.paise
    assert abs(change.basis_points * previous - change.paise * 10_000) * 2 <= previous


@pytest.mark.parametrize(
    ("last", "previous", "expected"),
    [
        (None, 100, Change(None, None)),
        (100, None, Change(None, None)),
        (100, 0, Change(100, None)),
        (100, -5, Change(105, None)),
    ],
)
def test_what_cannot_be_computed_is_unknown(last, previous, expected):
    """No guess is made where a price is missing or the base makes no sense."""
    quote = Quote(last_paise=last, previous_close_paise=previous)
    assert expected == change_of(quote)


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (0, "1970-01-01T05:30:00.000+05:30"),
        (1_795_334_400_020, "2026-11-22T13:30:00.020+05:30"),
        (None, None),
        (10**18, None),
        (-(10**18), None),
    ],
)
def test_times_are_told_in_indian_time(at_ms, expected):
    """Milliseconds are kept; a number that is no date is unknown."""
    assert expected == indian_time(at_ms)
