"""How far a scrip's day has come."""

import msgspec

from bse_exchange_sim.universe.scrip import DayBar


class TradeState(msgspec.Struct, frozen=True, gc=False):
    """The day so far; `updates` counts its price or volume changes, 0 is no trade yet.

    Before the first trade open, high and low are 0 and last is the previous close.
    `traded_at` is the progress of the day (0..1) at the last trade.
    """

    updates: int
    open_paise: int
    high_paise: int
    low_paise: int
    last_paise: int
    previous_close_paise: int
    volume: int
    turnover_paise: int
    trades: int
    traded_at: float

    @property
    def change_paise(self) -> int:
        """Return the change against the previous close, 0 for a new listing."""
        if not self.previous_close_paise:
            return 0
        return self.last_paise - self.previous_close_paise


def before_first_trade(bar: DayBar) -> TradeState:
    """Return the state in which the scrip has not traded today."""
    close = bar.previous_close_paise
    return TradeState(0, 0, 0, 0, close, close, 0, 0, 0, 0.0)


def after_last_trade(bar: DayBar, updates: int, traded_at: float) -> TradeState:
    """Return the bar itself, whatever oddities it holds."""
    return TradeState(
        updates,
        bar.open_paise,
        bar.high_paise,
        bar.low_paise,
        bar.last_paise,
        bar.previous_close_paise,
        bar.volume,
        bar.turnover_paise,
        bar.trades,
        traded_at,
    )
