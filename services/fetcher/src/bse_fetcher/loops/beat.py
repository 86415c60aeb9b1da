"""The bus beat, each second, by the fetcher that leads: whoever hears none for three seconds knows that it is alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bse_fetcher.core import Core
from bse_shared.wire.records import FeedStatus


@dataclass(slots=True)
class Beat:
    """Tells the feed's status; where fetchers share a source, with the age of all shards, not of its own alone."""

    core: Core
    of_feed: Callable[[Sequence[int] | None], FeedStatus]

    async def step(self) -> None:
        """One beat, if this fetcher leads."""
        terms, store = self.core.terms, self.core.store
        if not terms.leads:
            return
        heard_ms = None
        if len(terms.writers) < terms.shards:
            heads = (await store.heads()).shards
            # A shard in which nothing was ever confirmed is empty, not late.
            heard_ms = [ms for head in heads if (ms := head.confirmed.newest_ms())]
        await store.beat(self.of_feed(heard_ms))
