"""Rankings and breadth, by their laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_gateway.derived import change_of
from bse_gateway.market_board import Board, breadth, ranked
from bse_shared.quotes.quote import Condition
from bse_shared.testing.builders import a_quote, an_image


prices = st.none() | st.integers(0, 10_000)
quotes = st.builds(
    a_quote,
    prices,
    previous_close_paise=prices,
    high_paise=prices,
    low_paise=prices,
    high_52_week_paise=prices,
    low_52_week_paise=prices,
    upper_circuit_paise=prices,
    lower_circuit_paise=prices,
    volume=st.none() | st.integers(0, 5),
    turnover_paise=st.none() | st.integers(0, 5),
    trades=st.none() | st.integers(0, 5),
    condition=st.sampled_from(Condition),
)
markets = st.dictionaries(st.integers(1, 50), quotes.map(an_image))


def market(**quotes):
    """Images by code, named `s` and the code."""
    return {int(name[1:]): an_image(quote) for name, quote in quotes.items()}


@given(images=markets, board=st.sampled_from(Board))
def test_a_ranking_names_traded_scrips_once(images, board):
    """None without trade, none that is doubted, none twice; the same whatever order it was asked in."""
    found = ranked(images, images, board)
    assert len(set(found)) == len(found)
    for code in found:
        quote = images[code].quote
        assert quote.volume
        assert quote.condition != Condition.SUSPECT
    assert found == ranked(images, reversed(images), board)


@given(images=markets)
def test_gainers_fall_and_losers_rise_down_the_list(images):
    """The most moved first, and nothing that did not move."""
    gains = [
        change_of(images[code].quote).basis_points
        for code in ranked(images, images, Board.GAINERS)
    ]
    losses = [
        change_of(images[code].quote).basis_points
        for code in ranked(images, images, Board.LOSERS)
    ]
    assert sorted(gains, reverse=True) == gains
    assert sorted(losses) == losses
    assert all(gain > 0 for gain in gains)
    assert all(loss < 0 for loss in losses)


@given(images=markets, unknown=st.sets(st.integers(60, 70)))
def test_every_scrip_counts_once_in_breadth(images, unknown):
    """Up, down, still or not traded; who was never seen was not traded."""
    found = breadth(images, [*images, *unknown])
    assert len(images) + len(unknown) == sum(found[:4])
    assert max(found[4:]) <= sum(found[:3])


@pytest.mark.parametrize(
    ("board", "expected"),
    [
        (Board.GAINERS, [2, 1]),
        (Board.LOSERS, [3]),
        (Board.VOLUME, [3, 2, 1]),
        (Board.HIGH_52_WEEK, [2]),
        (Board.LOW_52_WEEK, [3]),
        (Board.UPPER_CIRCUIT, [2]),
        (Board.LOWER_CIRCUIT, [3]),
    ],
)
def test_each_board_shows_what_it_says(board, expected):
    """Three scrips: a quiet one, one at its upper limits, one at its lower limits; and one without trade."""
    limits = {
        "high_52_week_paise": 120,
        "low_52_week_paise": 80,
        "upper_circuit_paise": 120,
        "lower_circuit_paise": 80,
        "previous_close_paise": 100,
    }

    def quote(last, volume):
        return a_quote(last, high_paise=last, low_paise=last, volume=volume, **limits)

    images = market(
        s1=quote(101, 1), s2=quote(120, 2), s3=quote(80, 3), s4=quote(120, 0)
    )
    assert expected == ranked(images, images, board)
