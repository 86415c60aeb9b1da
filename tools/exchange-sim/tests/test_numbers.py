"""Numbers are written exactly, in the exchange's own ways."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_exchange_sim.answers.numbers import (
    indian,
    json_number,
    percent,
    rounded,
    signed,
    two_decimals,
)


amounts = st.integers(-(10**14), 10**14)


@given(amounts)
def test_every_way_of_writing_keeps_the_amount(paise: int) -> None:
    """Read back without commas, each text is the amount to the paisa."""
    for text in (
        json_number(paise),
        two_decimals(paise),
        indian(paise).replace(",", ""),
        signed(paise).replace(",", ""),
    ):
        assert Decimal(text) * 100 == paise


@given(amounts)
def test_json_number_is_json(paise: int) -> None:
    """A JSON number can be read by a JSON reader and has at most two decimals."""
    assert json.loads(json_number(paise)) == float(Decimal(paise) / 100)


@pytest.mark.parametrize(
    ("paise", "text"),
    [(156000, "1560.0"), (142590, "1425.9"), (143965, "1439.65"), (-5, "-0.05")],
)
def test_json_number_is_written_as_recorded(paise: int, text: str) -> None:
    """Trailing zeros are cut to one decimal, as in the recorded rows."""
    assert json_number(paise) == text


@pytest.mark.parametrize(
    ("paise", "text"),
    [
        (5, "0.05"),
        (99_999, "999.99"),
        (100_950, "1,009.50"),
        (39_642_800, "3,96,428.00"),
        (40_745_097, "4,07,450.97"),
        (-1_234_567_890, "-1,23,45,678.90"),
    ],
)
def test_indian_commas(paise: int, text: str) -> None:
    """The last three digits form a group, the others go in pairs."""
    assert indian(paise) == text


def test_percent_is_rounded_half_away_from_zero() -> None:
    """The recorded example: -1.55 on 1005.50 is -0.15 %."""
    assert percent(-155, 100_550) == -15
    assert percent(13_350, 138_955) == 961
    assert percent(100, 0) == 0
    assert (rounded(5, 2), rounded(-5, 2), rounded(4, -3)) == (3, -3, -1)
