"""Which sources there are: every folder beside this file with a `source.py`, whose `SOURCE` says what it is."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import aiohttp

from bse_fetcher.settings import SOURCE_NAMES, FetcherSettings
from bse_fetcher.sources.entry import Entry
from bse_fetcher.sources.protocol import BatchSource
from bse_shared.redis_edge.source_budgets import Budget


def _entry(name: str) -> Entry:
    entry = import_module(f"{__package__}.{name}.source").SOURCE
    if not isinstance(entry, Entry):
        raise TypeError(f"SOURCE of {name} is no Entry")
    return entry


SOURCES: Mapping[str, Entry] = {name: _entry(name) for name in sorted(SOURCE_NAMES)}

LIST_SOURCES = frozenset(name for name in SOURCES if SOURCES[name].lists_market)
"""Those that tell the whole market in one call."""

DETAILS, CHARTS = "bse details", "yahoo charts"
"""The budgets of what is asked beside prices: it must never take a price's place."""


ON_DEMAND_SHARE = 3
"""A third of a source's budget at most goes to scrips that readers miss: there may be many of both."""


def on_demand(source: str) -> str:
    """The budget of what readers miss."""
    return f"{source} on demand"


def batch_source(
    name: str, session: aiohttp.ClientSession, settings: FetcherSettings
) -> BatchSource:
    """The batch source of that name. Raises ValueError where it lists the market instead."""
    if name in LIST_SOURCES:
        raise ValueError(f"{name} lists the market: it is no batch source")
    return cast("BatchSource", SOURCES[name].make(session, settings))


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
