"""Another replica may be ahead of this one: what we have would take its client back in time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bse_shared.quotes.position import Position
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.redis_edge.store import Heads
from bse_ws_hub.hub.rows import BEHIND_MAX_MS
from bse_ws_hub.hub.vector import has_reached_all


@dataclass(slots=True)
class CatchUp:
    """Holds back who names a place that this hub has not come to. `heads`: how far the store is."""

    follower: QuoteFollower
    heads: Callable[[], Awaitable[Heads]]
    _waits: set[asyncio.Timeout] = field(default_factory=set)
    _over: bool = False

    async def reach(self, vector: Sequence[Position]) -> None:
        """Return when this hub has come there, or after BEHIND_MAX_MS: nothing says that such a place exists.

        The client may have got more after the heartbeat that named its place, so that the store is asked how far anybody
        can be.
        """
        try:  # not within the time limit: the Redis driver can swallow its signal
            heads = [head.position for head in (await self.heads()).shards]
        except StoreUnavailable:
            return
        if self._over:
            return
        table = self.follower.table
        with suppress(TimeoutError):
            async with asyncio.timeout(BEHIND_MAX_MS / 1000) as wait:
                self._waits.add(wait)
                try:
                    await self.follower.until(
                        lambda: (
                            has_reached_all(table, heads)
                            and has_reached_all(table, vector)
                        )
                    )
                finally:
                    self._waits.discard(wait)

    def give_up(self) -> None:
        """The process ends: nobody waits any longer."""
        self._over = True
        now_s = asyncio.get_running_loop().time()
        for wait in self._waits:
            wait.reschedule(now_s)
