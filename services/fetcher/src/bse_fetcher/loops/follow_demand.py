"""Brings the demand board to the tiers, and serves readers that miss a scrip right now.

A miss is published once by the first reader of the cluster; the fetcher that may write the scrip asks for it, once,
within a deadline. A price that was confirmed a moment ago is on its way to the reader anyhow.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from bse_fetcher.core import Core
from bse_fetcher.polling.demand import Demand
from bse_fetcher.together import together
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quality import FRESH_FOR_MS
from bse_shared.redis_edge.demand_board import MISS_DEADLINE_MS, DemandBoard


log = structlog.get_logger()

AT_ONCE_MAX = 8

Heard = Callable[[], AsyncIterator[bytes | None]]
Fetch = Callable[[Sequence[int]], Awaitable[bool]]


@dataclass(slots=True)
class DemandFollower:
    """What is wanted, as the fetcher hears of it."""

    core: Core
    board: DemandBoard
    demand: Demand
    heard: Heard
    """The messages of readers that miss something; None for a sign of life."""
    fetch: Fetch | None = None
    """Asks a source for scrips at once; None where no source can be asked for a few."""
    alive: Callable[[], None] = lambda: None
    """Told with each message, and with each sign of life of the bus."""
    _asking: set[int] = field(default_factory=set)

    async def step(self) -> None:
        """Read the board."""
        if self.core.terms.active:
            now_ms = self.core.store.now_ms()
            self.demand.watch(await self.board.watched(now_ms), now_ms)

    async def serve(self) -> None:
        """Serve misses until the bus breaks (raises StoreUnavailable); call again to go on."""
        self._asking.clear()  # whom the last failure of the store cancelled
        places = asyncio.Semaphore(AT_ONCE_MAX)
        async with together() as group:
            async for message in self.heard():
                self.alive()
                code = _code(message)
                if code is None or not self._is_ours(code) or code in self._asking:
                    continue
                now_ms = self.core.store.now_ms()
                self.demand.miss(code, now_ms)
                self._asking.add(code)
                await places.acquire()
                task = group.create_task(self._fetch(code))
                task.add_done_callback(lambda _: places.release())

    def _is_ours(self, code: int) -> bool:
        core = self.core
        writer = core.terms.writers.get(shard_of(code, core.terms.shards))
        if writer is None or self.fetch is None:
            return False
        age_ms = core.store.now_ms() - writer.confirmed.at_ms(code)
        is_fresh = code in writer.images and age_ms < FRESH_FOR_MS
        return code in core.instruments.master.by_code and not is_fresh

    async def _fetch(self, code: int) -> None:
        assert self.fetch is not None  # noqa: S101 - asked before
        try:
            async with asyncio.timeout(MISS_DEADLINE_MS / 1000):
                was_answered = await self.fetch([code])
        except TimeoutError:
            was_answered = False
        finally:
            self._asking.discard(code)
        self.core.metrics.wishes.labels("served" if was_answered else "missed").inc()


def _code(message: bytes | None) -> int | None:
    if message is None or not message.isdigit() or len(message) > 9:  # noqa: PLR2004 - digits
        return None
    return int(message)
