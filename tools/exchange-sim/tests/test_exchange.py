"""The market moves by ticks and rolls over from day to day."""

from datetime import date, datetime, timedelta

from bse_exchange_sim.exchange import Exchange
from bse_exchange_sim.load import load_universe
from bse_exchange_sim.market_clock import (
    DAY_LENGTH,
    IST,
    ContinuousClock,
    MarketClock,
    ReplayClock,
)
from bse_exchange_sim.settings import Settings


START = datetime(2026, 9, 30, 11, 0, tzinfo=IST)
LISTINGS = load_universe(Settings(scrips=80)).listings


def exchange(clock: MarketClock | None = None, *, every_tick: bool = False) -> Exchange:
    return Exchange(
        LISTINGS, clock or ContinuousClock(START), START, every_tick=every_tick
    )


def test_market_stands_still_within_a_tick() -> None:
    """Two looks within one second are the same market."""
    market = exchange()
    first = market.look(START + timedelta(seconds=1))
    assert market.look(START + timedelta(seconds=1.9)) is first
    assert market.look(START + timedelta(seconds=2)) is not first


def test_every_tick_changes_every_scrip() -> None:
    """In the busy activity no scrip stays as it was for a tick."""
    market = exchange(every_tick=True)
    seen = [
        [
            market.look(START + timedelta(seconds=tick)).state(i).volume
            for i in range(80)
        ]
        for tick in range(1, 20)
    ]
    for scrip in zip(*seen, strict=True):
        assert len(set(scrip)) == len(scrip)


def test_next_day_starts_from_the_last_price() -> None:
    """After the roll-over the previous close is yesterday's last, volume is new."""
    market = exchange()
    opened = market.look(START).moment.opened_at
    before = market.look(opened + DAY_LENGTH - timedelta(seconds=1))
    lasts = [each.bar.last_paise for each in before.listings]
    after = market.look(opened + DAY_LENGTH)
    assert after.moment.day == 1
    states = [after.state(index) for index in range(80)]
    assert [state.previous_close_paise for state in states] == lasts
    assert sum(state.volume for state in states) < sum(
        each.bar.volume for each in after.listings
    )


def test_replay_ends_exactly_at_the_bars_and_holds() -> None:
    """A finished replay shows the file's values, also much later."""
    market = exchange(ReplayClock(START, date(2024, 6, 28), 50_000.0))
    for later in (timedelta(seconds=2), timedelta(days=2)):
        end = market.look(START + later)
        assert end.moment.finished
        for index, each in enumerate(LISTINGS):
            state = end.state(index)
            assert state.last_paise == each.bar.last_paise
            assert state.turnover_paise == each.bar.turnover_paise
