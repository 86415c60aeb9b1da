"""All scrips' paths through one day, and the states they are in right now.

States are made only when asked for and kept until the scrip's next update.
"""

from collections.abc import Sequence

import msgspec

from bse_exchange_sim.paths.path import MAX_UPDATES, Path
from bse_exchange_sim.paths.trade_state import TradeState
from bse_exchange_sim.seeding import rng_for
from bse_exchange_sim.universe.scrip import DayBar, Listing


def busy(bar: DayBar, updates: int) -> DayBar:
    """Give a thin scrip so many trades and shares that each update shows a change."""
    volume = max(bar.volume, 2 * updates)
    return msgspec.structs.replace(
        bar,
        trades=max(bar.trades, updates),
        volume=volume,
        turnover_paise=bar.turnover_paise * volume // max(1, bar.volume),
    )


class TradingDay:
    """One virtual day of the whole market."""

    def __init__(
        self,
        listings: Sequence[Listing],
        seed: int,
        day: int,
        updates_per_scrip: int | None = None,
    ) -> None:
        """Plan all paths; `updates_per_scrip` makes every scrip equally busy."""
        if updates_per_scrip is not None:
            listings = [
                Listing(each.scrip, busy(each.bar, updates_per_scrip))
                for each in listings
            ]
        self.listings = tuple(listings)
        limit = updates_per_scrip or MAX_UPDATES
        self.paths = [
            Path(
                each.bar,
                each.scrip.tick_paise,
                rng_for(seed, day, each.scrip.code),
                limit,
            )
            for each in self.listings
        ]
        self.updates = [0] * len(self.paths)
        self._states: list[TradeState | None] = [None] * len(self.paths)

    def advance(self, progress: float) -> int:
        """Move every scrip to this point of the day; return how many changed."""
        updates, states = self.updates, self._states
        changed = 0
        for index, path in enumerate(self.paths):
            done = path.updates_at(progress)
            if done != updates[index]:
                updates[index] = done
                states[index] = None
                changed += 1
        return changed

    def state(self, index: int) -> TradeState:
        """Return the present state of one scrip."""
        state = self._states[index]
        if state is None:
            state = self._states[index] = self.paths[index].after(self.updates[index])
        return state
