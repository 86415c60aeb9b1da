"""Breadth and movers."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.quotes.market_summary import summarise
from bse_shared.quotes.quote import Condition
from bse_shared.testing.builders import a_quote


TODAY_MS = 1_795_290_000_000


def quote(last, close=100, volume=10, **changes):
    """A scrip that traded today."""
    fields = {
        "previous_close_paise": close,
        "volume": volume,
        "turnover_paise": last * volume,
        "exchange_time_ms": TODAY_MS,
        **changes,
    }
    return a_quote(last, **fields)


def test_the_market_is_counted_and_ranked():
    """Ties go by the scrip code."""
    found = summarise(
        {
            1: quote(110),
            2: quote(90, volume=1000),
            3: quote(100),
            4: quote(120),
            5: quote(110),
            6: quote(100, exchange_time_ms=TODAY_MS - 1),
            7: quote(100, volume=0),
        },
        TODAY_MS,
        movers_max=2,
    )

    assert (3, 1, 1, 2) == (
        found.advances,
        found.declines,
        found.unchanged,
        found.untraded,
    )
    assert [(4, 2000), (1, 1000)] == [
        (m.code, m.change_basis_points) for m in found.gainers
    ]
    assert [(2, -1000)] == [(m.code, m.change_basis_points) for m in found.losers]
    assert [2, 4] == [mover.code for mover in found.most_active]


def test_neither_a_suspect_nor_a_tiny_trade_leads_the_market():
    """They are counted among the others."""
    found = summarise(
        {1: quote(190, condition=Condition.SUSPECT), 2: quote(180, volume=1)},
        TODAY_MS,
        movers_max=5,
        min_turnover_paise=1_000,
    )

    assert (2, ()) == (found.advances, found.gainers)


PRICES = st.integers(1, 10**7)


@given(st.dictionaries(st.integers(1, 50), st.tuples(PRICES, PRICES)))
def test_every_scrip_is_counted_once_and_the_order_holds(prices):
    """The sign of a change is never lost to rounding."""
    quotes = {code: quote(last, close) for code, (last, close) in prices.items()}
    found = summarise(quotes, TODAY_MS, movers_max=5)

    counted = found.advances + found.declines + found.unchanged + found.untraded
    assert len(quotes) == counted
    assert sum(last > close for last, close in prices.values()) == found.advances
    changes = [mover.change_basis_points for mover in found.gainers]
    assert sorted(changes, reverse=True) == changes
    for mover in found.gainers:
        last, close = prices[mover.code]
        exact = (last - close) * 10_000 / close
        assert abs(mover.change_basis_points - exact) <= 1
