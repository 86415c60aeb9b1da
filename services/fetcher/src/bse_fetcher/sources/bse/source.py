"""BSE's web API as the registry knows it."""

from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.entry import Entry
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge.source_budgets import Budget


SOURCE = Entry(
    make=lambda session, settings: BseSource(session, settings.bse),
    budget=lambda settings: Budget(settings.bse.requests_per_s, settings.bse.burst),
    number=Source.BSE,
    lists_market=True,
)
