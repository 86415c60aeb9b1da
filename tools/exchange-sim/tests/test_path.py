"""The laws of a price path: it ends exactly at the bar and never goes back."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bse_exchange_sim.paths.depth import depth_around
from bse_exchange_sim.paths.path import MAX_UPDATES, Path
from bse_exchange_sim.paths.trade_state import TradeState
from bse_exchange_sim.paths.trading_day import TradingDay, busy
from bse_exchange_sim.seeding import rng_for
from bse_exchange_sim.universe.scrip import DayBar, Listing, Scrip


@st.composite
def sane_bars(draw: st.DrawFn) -> DayBar:
    """Bars as exchanges write them: prices within low and high."""
    low = draw(st.integers(1, 5_000_000))
    high = low + draw(st.one_of(st.integers(0, 20), st.integers(0, low)))
    price = st.integers(low, high)
    trades = draw(st.one_of(st.integers(1, 6), st.integers(1, 200_000)))
    volume = trades + draw(st.integers(0, 10_000_000))
    return DayBar(
        draw(price),
        high,
        low,
        draw(price),
        draw(price),
        draw(st.integers(0, 5_000_000)),
        volume,
        draw(st.integers(low * volume, high * volume)),
        trades,
    )


@st.composite
def odd_bars(draw: st.DrawFn) -> DayBar:
    """Bars whose figures do not fit together."""
    price = st.integers(1, 100_000)
    low = draw(price)
    count = st.integers(0, 50_000)
    return DayBar(
        draw(price),
        low + draw(st.integers(0, 100)),
        low,
        draw(price),
        draw(price),
        draw(st.integers(0, 100_000)),
        draw(count),
        draw(st.integers(0, 10**12)),
        draw(count),
    )


bars = st.one_of(sane_bars(), odd_bars())
seeds = st.integers(0, 2**32)
ticks = st.sampled_from([1, 5])
walks = st.lists(st.floats(0, 1), min_size=2, max_size=40).map(sorted)


def totals(state: TradeState) -> tuple[int, ...]:
    return (
        state.updates,
        state.volume,
        state.trades,
        state.turnover_paise,
        state.high_paise,
    )


@given(bars, seeds, ticks)
def test_the_day_ends_exactly_at_the_bar(bar: DayBar, seed: int, tick: int) -> None:
    """At progress 1 every figure is the bar's, whatever the bar holds."""
    end = Path(bar, tick, rng_for(seed)).at(1.0)
    assert (end.open_paise, end.high_paise, end.low_paise, end.last_paise) == (
        bar.open_paise,
        bar.high_paise,
        bar.low_paise,
        bar.last_paise,
    )
    assert (end.volume, end.trades, end.turnover_paise) == (
        bar.volume,
        bar.trades,
        bar.turnover_paise,
    )


@given(bars, seeds, ticks, walks)
def test_totals_never_go_back(
    bar: DayBar, seed: int, tick: int, walk: list[float]
) -> None:
    """Volume, trades, turnover and high only rise; low only falls."""
    path = Path(bar, tick, rng_for(seed))
    states = [path.at(progress) for progress in (*walk, 1.0)]
    for sooner, later in pairwise(states):
        assert all(a <= b for a, b in zip(totals(sooner), totals(later), strict=True))
        assert not sooner.updates or sooner.low_paise >= later.low_paise
        assert sooner.traded_at <= later.traded_at


@given(sane_bars(), seeds, ticks, walks)
def test_last_lies_between_low_and_high_so_far(
    bar: DayBar, seed: int, tick: int, walk: list[float]
) -> None:
    """Once traded, low <= last <= high, within the bar, with at least a share."""
    path = Path(bar, tick, rng_for(seed))
    for progress in (*walk, 1.0):
        state = path.at(progress)
        if not state.updates:
            continue
        assert bar.low_paise <= state.low_paise <= state.last_paise
        assert state.last_paise <= state.high_paise <= bar.high_paise
        assert state.low_paise <= state.open_paise <= state.high_paise
        assert 1 <= state.trades <= state.volume
        assert state.traded_at <= progress


@given(bars, seeds, st.floats(0, 1))
def test_same_seed_same_path(bar: DayBar, seed: int, progress: float) -> None:
    """Two paths of one seed agree at every moment."""
    one, two = (Path(bar, 5, rng_for(seed)) for _ in range(2))
    assert one.at(progress) == two.at(progress)


@given(sane_bars(), seeds)
def test_nothing_has_happened_before_the_first_trade(bar: DayBar, seed: int) -> None:
    """Before the first update last is the previous close and nothing was traded."""
    state = Path(bar, 5, rng_for(seed)).after(0)
    assert state.last_paise == bar.previous_close_paise
    assert (state.volume, state.trades, state.turnover_paise) == (0, 0, 0)
    assert (state.open_paise, state.high_paise, state.low_paise) == (0, 0, 0)


@given(sane_bars(), seeds, st.data())
def test_an_update_happens_at_its_moment(
    bar: DayBar, seed: int, data: st.DataObject
) -> None:
    """An update is visible from its moment on."""
    path = Path(bar, 5, rng_for(seed))
    update = data.draw(st.integers(1, path.updates))
    assert path.updates_at(min(1.0, path.moment_of(update) + 1e-9)) >= update


LIQUID = DayBar(
    100_000, 104_000, 98_000, 101_500, 102_000, 99_500, 10**6, 10**11, 90_000
)


def test_liquid_scrip_moves_nearly_every_second() -> None:
    """A scrip with many trades changes its price in most seconds, by ticks."""
    path = Path(LIQUID, 5, rng_for(1))
    prices = [path.at(second / MAX_UPDATES).last_paise for second in range(1, 2_000)]
    moves = sum(a != b for a, b in pairwise(prices))
    assert moves > 1_200
    assert all(price % 5 == 0 for price in prices)


def test_high_and_low_are_reached_before_the_end() -> None:
    """A liquid day touches its high and low on the way, not by a jump at the end."""
    path = Path(LIQUID, 5, rng_for(1))
    state = path.after(path.updates - 1)
    assert (state.high_paise, state.low_paise) == (104_000, 98_000)


def test_average_price_so_far_stays_within_the_day() -> None:
    """Turnover divided by volume is a price of the day at every moment."""
    for step in range(1, 100):
        state = Path(LIQUID, 5, rng_for(3)).at(step / 100)
        average = state.turnover_paise // state.volume
        assert LIQUID.low_paise <= average <= LIQUID.high_paise


@settings(max_examples=30)
@given(sane_bars(), seeds, st.integers(100, 3_000))
def test_busy_scrip_changes_at_every_step(bar: DayBar, seed: int, ticks: int) -> None:
    """With the busy bar, each quarter of the updates' pace shows a new volume."""
    path = Path(busy(bar, 4 * ticks), 5, rng_for(seed), 4 * ticks)
    volumes = [path.at(step / ticks).volume for step in range(1, 60)]
    assert len(set(volumes)) == len(volumes)


@pytest.mark.parametrize("last", [3, 100_000])
def test_depth_stands_around_the_last_price(last: int) -> None:
    """Bids fall below the last price but not to zero, asks rise above it."""
    state = TradeState(7, last, last, last, last, last, 10, 10, 1, 0.5)
    book = depth_around(state, 500209, 1)
    bids, asks = (
        [level.price_paise for level in side] for side in (book.bids, book.asks)
    )
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert all(0 < price < last for price in bids)
    assert len(asks) == 5
    assert asks[0] > last


def test_day_remakes_only_what_changed() -> None:
    """A scrip without a new trade keeps the very same state."""
    quiet = DayBar(100, 100, 100, 100, 100, 100, 1, 100, 1)
    scrip = Scrip(1, "ONE", "", "A", "One")
    day = TradingDay([Listing(scrip, LIQUID), Listing(scrip, quiet)], 1, 0)
    day.advance(0.4)
    before = [day.state(0), day.state(1)]
    assert day.advance(0.4 + 5 / MAX_UPDATES) == 1
    assert day.state(0) is not before[0]
    assert day.state(1) is before[1]
