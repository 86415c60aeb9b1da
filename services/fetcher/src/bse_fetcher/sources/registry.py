"""Which sources there are. A new one is a file that makes a ListSource or a BatchSource, and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from bse_fetcher.settings import FetcherSettings
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.kite.source import KiteSource
from bse_fetcher.sources.protocol import BatchSource, ListSource
from bse_fetcher.sources.replay.source import ReplaySource
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.redis_edge.source_budgets import Budget


@dataclass(frozen=True, slots=True)
class Entry:
    """How a source is made, and how often all replicas together may ask it."""

    make: Callable[[aiohttp.ClientSession, FetcherSettings], ListSource | BatchSource]
    budget: Callable[[FetcherSettings], Budget]


SOURCES: Mapping[str, Entry] = {
    "bse": Entry(
        lambda session, settings: BseSource(session, settings.bse),
        lambda settings: Budget(settings.bse.requests_per_s, settings.bse.burst),
    ),
    "replay": Entry(
        lambda _, settings: ReplaySource(
            settings.replay.file, settings.poll.interval_s, settings.replay.speed
        ),
        lambda _: Budget(1000, 1000),  # a file is asked as often as one likes
    ),
    "yahoo": Entry(
        lambda session, settings: YahooSource(session, settings.yahoo),
        lambda settings: Budget(settings.yahoo.requests_per_s, settings.yahoo.burst),
    ),
    "kite": Entry(
        lambda session, settings: KiteSource(session, settings.kite),
        lambda settings: Budget(settings.kite.requests_per_s, settings.kite.burst),
    ),
}


LIST_SOURCES = frozenset({"bse", "replay"})
"""Those that tell the whole market in one call."""

DETAILS, CHARTS = "bse details", "yahoo charts"
"""The budgets of what is asked beside prices: it must never take a price's place."""


ON_DEMAND_SHARE = 3
"""A third of a source's budget at most goes to scrips that readers miss: there may be many of both."""


def on_demand(source: str) -> str:
    """The budget of what readers miss."""
    return f"{source} on demand"


def budgets_of(settings: FetcherSettings) -> dict[str, Budget]:
    """The budgets of all sources."""
    budgets = {name: entry.budget(settings) for name, entry in SOURCES.items()}
    for name, whole in list(budgets.items()):
        budgets[on_demand(name)] = Budget(
            whole.rate_per_s / ON_DEMAND_SHARE, max(1, whole.burst // ON_DEMAND_SHARE)
        )
    if settings.bse.details_per_s > 0:
        budgets[DETAILS] = Budget(settings.bse.details_per_s, 1)
    if settings.yahoo.charts_per_s > 0:
        budgets[CHARTS] = Budget(settings.yahoo.charts_per_s, 1)
    return budgets
