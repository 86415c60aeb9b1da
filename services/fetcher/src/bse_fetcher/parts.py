"""What the loops are made of, and how the ones that several rooms need are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from bse_fetcher.core import Core
from bse_fetcher.feed import Feed
from bse_fetcher.loops.poll_batches import BatchPoller
from bse_fetcher.polling.demand import Demand, Tier
from bse_fetcher.polling.schedule import Schedule
from bse_fetcher.session_source import CalendarSource
from bse_fetcher.settings import FetcherSettings
from bse_fetcher.sources.guard import Guard, Guards
from bse_fetcher.sources.protocol import BatchSource
from bse_fetcher.sources.registry import batch_source
from bse_shared.service.health import Health


LIST_SOURCE = "bse"
"""The exchange itself: beside the market it tells the master, indices, details and minutes."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One of each."""

    settings: FetcherSettings
    core: Core
    guards: Guards
    feed: Feed
    calendar: CalendarSource
    session: aiohttp.ClientSession
    demand: Demand
    health: Health
    pollers: list[BatchPoller] = field(default_factory=list)
    """All batch pollers that were made, for whoever tells of them."""
    at_end: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What is to be done once more when the loops have ended."""

    def alive(self, loop: str) -> Callable[[], None]:
        """What an endless loop calls as long as it gets on: its silence fails the liveness probe."""
        return lambda: self.health.progressed(loop)

    def batches(self, source: BatchSource, guard: Guard) -> BatchPoller:
        """A batch poller that works while the market is not closed."""
        demand = self.settings.demand
        intervals_ms = {
            Tier.HOT: demand.hot_interval_s * 1000,
            Tier.WARM: demand.warm_interval_s * 1000,
            Tier.COLD: demand.cold_interval_s * 1000,
        }
        poller = BatchPoller(
            core=self.core,
            source=source,
            guard=guard,
            schedule=Schedule(intervals_ms, source.symbols_max),
            demand=self.demand,
            is_wanted=self.is_wanted,
        )
        self.pollers.append(poller)
        return poller

    def is_wanted(self) -> bool:
        """Whether there is anything to expect of a source."""
        return self.calendar.session().phase != "closed"

    def batch_source(self, name: str) -> BatchSource:
        """The batch source of that name."""
        return batch_source(name, self.session, self.settings)
