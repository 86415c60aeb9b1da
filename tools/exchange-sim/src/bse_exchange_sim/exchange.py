"""The virtual exchange (pure): given a time, it shows the market at that tick.

It advances at most once per tick and rolls over to the next day, whose bars follow
from the last day's last prices.
"""

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bse_exchange_sim.market_clock import DAY_LENGTH, MarketClock, Moment
from bse_exchange_sim.paths.path import Path
from bse_exchange_sim.paths.trade_state import TradeState
from bse_exchange_sim.paths.trading_day import TradingDay
from bse_exchange_sim.seeding import rng_for
from bse_exchange_sim.universe.day_maker import next_bar
from bse_exchange_sim.universe.scrip import Listing, Scrip


# In the every_tick activity each tick spans this many updates, whatever their jitter.
_UPDATES_PER_TICK = 4
_MAX_BUSY_UPDATES = 4_000_000
_NEXT_DAY_STREAM = 7


class Market:
    """The market as it stands at one tick."""

    def __init__(
        self, tick: int, moment: Moment, day: TradingDay, codes: Mapping[int, int]
    ) -> None:
        """Show a day at a moment; `codes` gives each scrip's place in the list."""
        self.tick = tick
        self.codes = codes
        self.moment = moment
        self.day = day
        self.listings = day.listings

    def scrip(self, index: int) -> Scrip:
        """Return one scrip by its place in the list."""
        return self.listings[index].scrip

    def state(self, index: int) -> TradeState:
        """Return the state of one scrip by its place in the list."""
        return self.day.state(index)

    def path(self, index: int) -> Path:
        """Return the whole day's path of one scrip."""
        return self.day.paths[index]


class Exchange:
    """Keeps the present day of the market."""

    def __init__(
        self,
        listings: Iterable[Listing],
        clock: MarketClock,
        started_at: datetime,
        *,
        seed: int = 1,
        tick: timedelta = timedelta(seconds=1),
        every_tick: bool = False,
    ) -> None:
        """Open the exchange with the first day's listings."""
        self.clock = clock
        self._started_at = started_at
        self._seed = seed
        self._tick = tick
        self._busy = self._updates_for_every_tick() if every_tick else None
        self._bars = tuple(listings)
        self._day_number = 0
        self._day = TradingDay(self._bars, seed, 0, self._busy)
        self._codes = {each.scrip.code: at for at, each in enumerate(self._bars)}
        self._market = self._show(0)

    def look(self, now: datetime) -> Market:
        """Return the market at the tick that `now` lies in."""
        tick = max(0, (now - self._started_at) // self._tick)
        if tick != self._market.tick:
            self._market = self._show(tick)
        return self._market

    def _show(self, tick: int) -> Market:
        moment = self.clock.at(self._started_at + tick * self._tick)
        while self._day_number < moment.day:
            self._roll()
        self._day.advance(moment.progress)
        return Market(tick, moment, self._day, self._codes)

    def _roll(self) -> None:
        """Go on to the next day: its previous close is the last price."""
        self._day_number += 1
        self._bars = tuple(
            Listing(each.scrip, next_bar(each.scrip, each.bar, self._rng(each)))
            for each in self._bars
        )
        self._day = TradingDay(self._bars, self._seed, self._day_number, self._busy)

    def _rng(self, listing: Listing) -> random.Random:
        return rng_for(
            self._seed, self._day_number, listing.scrip.code, _NEXT_DAY_STREAM
        )

    def _updates_for_every_tick(self) -> int:
        ticks = DAY_LENGTH / (self._tick * self.clock.speed)
        return max(1, min(_MAX_BUSY_UPDATES, int(ticks * _UPDATES_PER_TICK)))
