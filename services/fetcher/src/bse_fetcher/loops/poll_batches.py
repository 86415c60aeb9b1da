"""Asks a batch source for the scrips that are due, hottest first; each batch is published as soon as it has come.

As the primary it works all day. As the backup it works while the primary's answer is overdue or missing, so that
prices go on within a second or two; an answer of the primary that came meanwhile is not overwritten.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog

from bse_fetcher.core import Core
from bse_fetcher.feed import Feed
from bse_fetcher.polling.demand import Demand, Tier
from bse_fetcher.polling.frozen import FrozenTrades
from bse_fetcher.polling.schedule import Schedule
from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.errors import ExchangeError, MalformedAnswer, NotAsked
from bse_fetcher.sources.guard import Guard
from bse_fetcher.sources.protocol import BatchSource
from bse_fetcher.together import together
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.wire.records import BatchCounts, BatchRecord


log = structlog.get_logger()

STEP_S = 0.1
AT_ONCE_MAX = 16
"""Batches under way: a source that answers slower than it is asked is asked less."""


@dataclass(slots=True)
class BatchPoller:
    """Keeps the scrips of this fetcher's shards as fresh as their tier asks."""

    core: Core
    source: BatchSource
    guard: Guard
    schedule: Schedule
    demand: Demand
    is_wanted: Callable[[], bool]
    feed: Feed | None = None
    """Where it is the primary, what tells of its state."""
    frozen: FrozenTrades | None = None
    """Where it is the primary, what notices that it only repeats itself."""
    moves: Callable[[], bool] = lambda: True
    """Whether the market should move now."""
    missed: Guard | None = None
    """Where what readers miss has a guard of its own: it must not take the place of the batches."""
    details: bool = False
    """Whether it tells of hot scrips something beside their price."""
    alive: Callable[[], None] = lambda: None
    """Told as long as there is room for a batch more: silence means that none of those under way ever ends."""
    stored: int = 0
    failed: int = 0
    _met: dict[int, ShardWriter] = field(default_factory=dict)
    _begun_batches: int = 0
    _under_way: int = 0

    async def run(self) -> None:
        """Ask for what is due until the store fails (raises StoreUnavailable); call it again to go on.

        A batch whose answer is slow holds up no other.
        """
        async with together() as group:
            while True:
                await self.start(group)
                if self._under_way < AT_ONCE_MAX:
                    self.alive()
                await asyncio.sleep(STEP_S)

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Begin to ask for what is due, if it is our turn and there is room."""
        orders, name = self.core.orders, self.source.name
        if not await self.core.is_our_turn() or not orders.may_ask(name):
            return
        is_forced = orders.forces(name) and not self.details
        if not (self.is_wanted() or is_forced):
            return
        if (self.feed or is_forced) and orders.take_poll_now():
            self.schedule.not_asked(self.core.instruments.master.by_code)
        if self._under_way >= AT_ONCE_MAX:
            return
        if self._met != self.core.terms.writers:
            self._meet_writers()
        due = self.schedule.due(
            self._tiers(), self.core.clock.monotonic_ms(), STEP_S * 1000
        )
        for codes in due:
            self._under_way += 1
            task = group.create_task(self.fetch(codes))
            task.add_done_callback(partial(self._over, codes))

    def _over(self, codes: Sequence[int], task: asyncio.Task[bool]) -> None:
        self._under_way -= 1
        if task.cancelled() or task.exception():
            self.schedule.not_asked(codes)  # the store went away: they never came

    def _meet_writers(self) -> None:
        """A shard that was taken just now may lack what was asked for long ago: the store lost it."""
        writers = self.core.terms.writers
        for code in self.core.instruments.master.by_code:
            shard = shard_of(code, self.core.terms.shards)
            writer = writers.get(shard)
            is_new = writer is not None and self._met.get(shard) is not writer
            if writer and is_new and code not in writer.images:
                self.schedule.not_asked([code])
        self._met = dict(writers)

    def counts(self) -> BatchCounts:
        """What became of its batches."""
        return BatchCounts(
            source=self.source.name,
            endpoint=self.guard.endpoint,
            under_way=self._under_way,
            stored=self.stored,
            failed=self.failed,
        )

    async def fetch_missed(self, codes: Sequence[int]) -> bool:
        """What a reader misses, at once, unless an operator forbids it; whether the source answered."""
        if not self.core.orders.may_ask(self.source.name):
            return False
        self.schedule.asked(codes, self.core.clock.monotonic_ms())
        return await self.fetch(codes, self.missed)

    async def fetch(self, codes: Sequence[int], missed: Guard | None = None) -> bool:
        """One batch, from asking to published; whether the source answered.

        `missed` stands in for the guard where the batch is not of the schedule, and tells nothing of the feed.
        """
        guard, feed = missed or self.guard, None if missed else self.feed
        known = self.core.instruments.master.by_code
        wanted = [known[code] for code in codes if code in known]
        asked = self._begun(codes)
        try:
            answer, store_ms = await guard.call(lambda: self._ask(wanted, asked))
        except NotAsked as error:
            self.schedule.not_asked(codes)
            _tell(feed, guard, error)
            return False
        except ExchangeError as error:
            self.schedule.failed(codes, self.core.clock.monotonic_ms())
            await self._ended(asked, "failed", error=str(error))
            self.core.metrics.polls.labels(error.kind).inc()
            log.warning(
                "fetcher.batch_failed", source=self.source.name, error=str(error)
            )
            _tell(feed, guard, error)
            return False
        self.schedule.answered(codes)
        self.core.metrics.polls.labels("ok").inc()
        if self.core.orders.frozen:
            await self._ended(asked, "failed", error=self.core.orders.told())
            return False
        if self.details:
            stored = await self.core.publisher.publish_details(answer, store_ms)
        else:
            stored = await self.core.publisher.publish_batch(
                answer,
                store_ms,
                asked_at_ms=asked.asked_at_ms,
                is_second=self.feed is None,
            )
        rejected = len(answer.rejected)
        await self._ended(asked, "stored", seen=stored, rejected=rejected)
        if feed:
            feed.answered(store_ms, stored, rejected)
        return True

    async def _ask(
        self, wanted: Sequence[Instrument], asked: BatchRecord
    ) -> tuple[Answer, int]:
        await self.core.store.save_batch(asked)
        body = await self.source.ask(wanted)
        store_ms, at_ms = self.core.store.now_ms(), self.core.clock.monotonic_ms()
        answer = self.source.read(body, wanted)
        if self.frozen and self.frozen.is_frozen(
            answer.seen, at_ms, should_move=self.moves()
        ):
            # Prices that nobody confirmed anew must not look fresh.
            raise MalformedAnswer("frozen", "no trade is newer for too long")
        return answer, store_ms

    def _tiers(self) -> Mapping[Tier, Sequence[int]]:
        now_ms = self.core.store.now_ms()
        hot, warm = self.demand.hot(now_ms), self.demand.warm(now_ms)
        warmer = warm.union(hot)
        known, holds = self.core.instruments.master.by_code, self.core.terms.holds
        if self.details:
            return {Tier.HOT: [code for code in hot if code in known and holds(code)]}
        return {
            Tier.HOT: [code for code in hot if code in known and holds(code)],
            Tier.WARM: [code for code in warm if code in known and holds(code)],
            Tier.COLD: [code for code in known if code not in warmer and holds(code)],
        }

    def _begun(self, codes: Sequence[int]) -> BatchRecord:
        self._begun_batches += 1
        number = self._begun_batches
        return BatchRecord(
            batch_id=f"{self.source.name}:{self.core.holder}:{number}",
            source=self.source.name,
            fetcher=self.core.holder,
            state="asked",
            codes=list(codes),
            asked_at_ms=self.core.store.now_ms(),
        )

    async def _ended(
        self,
        asked: BatchRecord,
        state: str,
        *,
        seen: int = 0,
        rejected: int = 0,
        error: str = "",
    ) -> None:
        self.stored += state == "stored"
        self.failed += state == "failed"
        self.core.metrics.batches.labels(self.source.name, state).inc()
        await self.core.store.save_batch(
            BatchRecord(
                batch_id=asked.batch_id,
                source=asked.source,
                fetcher=asked.fetcher,
                state=state,
                codes=asked.codes,
                asked_at_ms=asked.asked_at_ms,
                done_at_ms=self.core.store.now_ms(),
                seen=seen,
                rejected=rejected,
                error=error,
            )
        )


def _tell(feed: Feed | None, guard: Guard, error: ExchangeError) -> None:
    if feed:
        feed.failed(guard.last_error or str(error))
