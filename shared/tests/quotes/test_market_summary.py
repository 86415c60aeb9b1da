"""Breadth and movers."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.quotes.market_summary import joined, summarise
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


def test_a_source_without_a_turnover_has_movers_too():
    """A broker tells the average price, Yahoo not even that."""
    found = summarise(
        {
            1: quote(110, turnover_paise=None, average_price_paise=105),
            2: quote(120, turnover_paise=None),
            3: quote(130, turnover_paise=7),
        },
        TODAY_MS,
        movers_max=5,
        min_turnover_paise=1_000,
    )

    assert [(2, 1200), (1, 1050)] == [
        (mover.code, mover.turnover_paise) for mover in found.most_active
    ]
    assert 1200 + 1050 + 7 == found.turnover_paise


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


@given(
    st.dictionaries(st.integers(1, 50), st.tuples(PRICES, PRICES), min_size=1),
    st.integers(1, 8),
)
def test_parts_joined_are_the_whole(prices, shards):
    """Whoever holds which shards: the market's summary is the same."""
    quotes = {code: quote(last, close) for code, (last, close) in prices.items()}
    parts = [
        summarise(
            {code: q for code, q in quotes.items() if code % shards == shard},
            TODAY_MS,
            movers_max=5,
        )
        for shard in range(shards)
    ]

    assert summarise(quotes, TODAY_MS, movers_max=5) == joined(parts, movers_max=5)


def test_a_part_of_yesterday_counts_as_untraded():
    """A shard whose scrips did not trade yet today must not show yesterday's movers as today's."""
    yesterday = summarise({1: quote(190), 2: quote(100)}, TODAY_MS - 1, movers_max=5)
    today = summarise({3: quote(110)}, TODAY_MS, movers_max=5)

    found = joined([yesterday, today], movers_max=5)
    assert (TODAY_MS, 1, 2) == (found.since_ms, found.advances, found.untraded)
    assert [3] == [mover.code for mover in found.gainers]
    assert today.turnover_paise == found.turnover_paise


def test_a_first_day_counts_in_the_turnover_alone():
    """Without a last close nobody knows whether it rose; what was traded was traded."""
    found = summarise(
        {
            1: quote(110, volume=10),
            2: quote(500, close=None, volume=20),
            3: quote(500, close=None, exchange_time_ms=TODAY_MS - 1),
            4: quote(500, close=None, exchange_time_ms=None),
        },
        TODAY_MS,
        movers_max=5,
    )

    assert (1, 0, 0, 3) == (
        found.advances,
        found.declines,
        found.unchanged,
        found.untraded,
    )
    assert 110 * 10 + 500 * 20 == found.turnover_paise
    assert [1] == [mover.code for mover in found.most_active]
