"""Quotes as users see them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_client.fields import FIELDS, Kind, Quality
from bse_client.quote import Level, Quote, rupees


def a_quote(**fields):
    """A quote of RELIANCE."""
    place = {"symbol": "RELIANCE", "code": 500325, "epoch": 1, "sequence": 2}
    return Quote(**place, quality=Quality.LIVE, age_ms=80, changed_at_ms=3, **fields)


@given(st.integers(-(10**17), 10**17))
def test_rupees_are_exact(paise):
    """Rupees are the paise to the last digit, with two decimals."""
    assert rupees(paise) * 100 == paise
    assert rupees(paise).as_tuple().exponent == -2


def test_every_field_has_its_rupees():
    """Each field in paise can be read in rupees under its public name; unknown is None."""
    for field in FIELDS:
        known = a_quote(**{field.name: 12_345})
        shown = getattr(known, field.public_name)
        assert shown == (Decimal("123.45") if field.kind is Kind.PAISE else 12_345)
        assert getattr(a_quote(), field.public_name) is None


@pytest.mark.parametrize(
    ("last", "close", "change", "percent"),
    [
        (290_135, 289_000, "11.35", "0.39"),
        (289_000, 290_135, "-11.35", "-0.39"),
        (100, 100, "0.00", "0.00"),
        (100_125, 100_000, "1.25", "0.13"),  # half a hundredth rounds away from zero
        (5, 0, "0.05", None),
        (None, 100, None, None),
        (100, None, None, None),
    ],
)
def test_change(last, close, change, percent):
    """Change and percent come from last price and previous close, or are unknown."""
    quote = a_quote(last_paise=last, previous_close_paise=close)
    assert quote.change == (change and Decimal(change))
    assert quote.change_percent == (percent and Decimal(percent))


def test_levels_and_text():
    """A level shows its price in rupees; a quote prints in one readable line."""
    assert Level(290_135, 4).price == Decimal("2901.35")
    quote = a_quote(last_paise=290_135, previous_close_paise=289_000)
    assert repr(quote) == "<Quote RELIANCE 2901.35 +0.39% live #2 age=80ms>"
    assert quote.is_live
