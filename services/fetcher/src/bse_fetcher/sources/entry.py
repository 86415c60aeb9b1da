"""What a source tells of itself: the `SOURCE` in its `source.py`, all that the registry wants to know."""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from bse_fetcher.settings import FetcherSettings
from bse_fetcher.sources.protocol import BatchSource, ListSource
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge.source_budgets import Budget


@dataclass(frozen=True, slots=True)
class Entry:
    """How a source is made, how often all replicas together may ask it, and how its quotes are marked."""

    make: Callable[[aiohttp.ClientSession, FetcherSettings], ListSource | BatchSource]
    budget: Callable[[FetcherSettings], Budget]
    number: Source = Source.BROKER
    lists_market: bool = False
    """It tells the whole market in one call; else it is a batch source."""
