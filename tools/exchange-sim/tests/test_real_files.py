"""Real end-of-day files, if there are any: all rows are read and end exactly."""

import os
from pathlib import Path

import pytest

from bse_exchange_sim.load import load_universe
from bse_exchange_sim.paths.trading_day import TradingDay
from bse_exchange_sim.settings import Settings


ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("BSE_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        ("bhavcopy_legacy/BSE_EQ_*.csv", 3_500),
        ("bhavcopy_udiff/DERIVED_*.csv", 4_000),
        ("bhavcopy_udiff/BhavCopy_*.csv", 9),
    ],
)
def test_real_days_end_exactly_at_the_file(pattern: str, rows: int) -> None:
    """Every row of a real day is read and its path ends at the file's values."""
    files = sorted(DATA.glob(pattern))
    if not files:
        pytest.skip(f"no real end-of-day file {pattern} (set BSE_TEST_DATA)")
    for file in files:
        universe = load_universe(Settings(bhavcopy=file))
        assert universe.bad_rows == ()
        assert universe.trade_date is not None
        assert len(universe.listings) >= rows
        day = TradingDay(universe.listings, 1, 0)
        day.advance(1.0)
        for index, each in enumerate(universe.listings):
            state, bar = day.state(index), each.bar
            assert (state.open_paise, state.last_paise) == (
                bar.open_paise,
                bar.last_paise,
            )
            assert (state.high_paise, state.low_paise) == (
                bar.high_paise,
                bar.low_paise,
            )
            assert (state.volume, state.trades) == (bar.volume, bar.trades)
