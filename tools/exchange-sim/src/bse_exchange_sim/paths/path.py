"""One scrip's path through one day: a function of the day's progress, 0 to 1.

The day has a fixed number of updates. The k-th happens at a jittered moment of the
k-th slice of the day, and everything at update k is computed, not remembered: so any
moment can be asked for in any order, at the cost of one bisection.
"""

import random
from bisect import bisect_right
from itertools import accumulate

from bse_exchange_sim.paths.noise import NOISE_MASK, NOISE_RANGE, noise
from bse_exchange_sim.paths.trade_state import (
    TradeState,
    after_last_trade,
    before_first_trade,
)
from bse_exchange_sim.paths.turnover import spread_turnover
from bse_exchange_sim.paths.waypoints import plan_marks, plan_prices, plan_volumes
from bse_exchange_sim.universe.scrip import DayBar


# One change a second through the 6 h 15 min of a day, at the most.
MAX_UPDATES = 22_500
_WOBBLE_SHARE = 12


class Path:
    """The bar's day, drawn out."""

    __slots__ = (
        "_flows",
        "_highs",
        "_lows",
        "_marks",
        "_prices",
        "_salt",
        "_tick",
        "_traded",
        "_volumes",
        "_wobble",
        "bar",
        "updates",
    )

    def __init__(
        self,
        bar: DayBar,
        tick_paise: int,
        rng: random.Random,
        max_updates: int = MAX_UPDATES,
    ) -> None:
        """Plan the day; `max_updates` bounds how often the scrip can change."""
        self.bar = bar
        self.updates = max(1, min(bar.trades, max_updates))
        self._tick = tick_paise
        self._salt = rng.randrange(NOISE_MASK + 1)
        self._wobble = (bar.high_paise - bar.low_paise) // (_WOBBLE_SHARE * tick_paise)
        self._marks = plan_marks(self.updates, rng)
        self._prices = plan_prices(bar, len(self._marks), tick_paise, rng)
        self._highs = list(accumulate(self._prices, max))
        self._lows = list(accumulate(self._prices, min))
        beyond_trades = max(0, bar.volume - bar.trades)
        self._volumes = plan_volumes(beyond_trades, self._marks, rng)
        volumes = [self._volume_at(leg, mark) for leg, mark in enumerate(self._marks)]
        self._traded = volumes
        self._flows = spread_turnover(bar.turnover_paise, volumes, self._prices)

    def updates_at(self, progress: float) -> int:
        """Return how many updates have happened by this point of the day."""
        position = progress * self.updates
        done = int(position)
        if done >= self.updates:
            return self.updates
        if (position - done) * NOISE_RANGE >= noise(self._salt, done):
            return done + 1
        return done

    def moment_of(self, update: int) -> float:
        """Return the progress of the day at which an update (from 1) happens."""
        return (update - 1 + noise(self._salt, update - 1) / NOISE_RANGE) / self.updates

    def at(self, progress: float) -> TradeState:
        """Return the state at this point of the day."""
        return self.after(self.updates_at(progress))

    def after(self, update: int) -> TradeState:
        """Return the state right after an update; 0 is before the first trade."""
        bar = self.bar
        if update <= 0:
            return before_first_trade(bar)
        if update >= self.updates:
            return after_last_trade(bar, self.updates, self.moment_of(self.updates))
        leg = bisect_right(self._marks, update) - 1
        base = self._base(leg, update)
        high = max(self._highs[leg], base)
        low = min(self._lows[leg], base)
        volume = self._volume_at(leg, update)
        return TradeState(
            update,
            bar.open_paise,
            high,
            low,
            self._wobbled(base, low, high, update),
            bar.previous_close_paise,
            volume,
            self._turnover_at(leg, volume),
            self._trades_at(update),
            self.moment_of(update),
        )

    def _base(self, leg: int, update: int) -> int:
        """Walk straight from one waypoint to the next, on ticks."""
        start, end = self._prices[leg], self._prices[leg + 1]
        begins, ends = self._marks[leg], self._marks[leg + 1]
        price = start + (end - start) * (update - begins) // (ends - begins)
        price -= price % self._tick
        low, high = (start, end) if start <= end else (end, start)
        return low if price < low else min(price, high)

    def _wobbled(self, base: int, low: int, high: int, update: int) -> int:
        """Move the price a few ticks, inside what was seen so far."""
        width = self._wobble
        steps = noise(self._salt + 1, update) % (2 * width + 1) - width
        price = base + steps * self._tick
        return low if price < low else min(price, high)

    def _trades_at(self, update: int) -> int:
        return max(self.bar.trades * update // self.updates, min(1, self.bar.trades))

    def _volume_at(self, leg: int, update: int) -> int:
        """Count a share for each trade; the others flow as planned, leg by leg."""
        if update >= self.updates:
            return self.bar.volume
        begins, ends = self._marks[leg], self._marks[leg + 1]
        start, end = self._volumes[leg], self._volumes[leg + 1]
        part = (update - begins) * NOISE_RANGE + noise(self._salt + 2, update)
        flowed = start + (end - start) * part // ((ends - begins) * NOISE_RANGE)
        return min(self._trades_at(update) + flowed, self.bar.volume)

    def _turnover_at(self, leg: int, volume: int) -> int:
        volumes, flows = self._traded, self._flows
        shares = volumes[leg + 1] - volumes[leg]
        if not shares:
            return flows[leg]
        grown = flows[leg + 1] - flows[leg]
        return flows[leg] + grown * (volume - volumes[leg]) // shares
