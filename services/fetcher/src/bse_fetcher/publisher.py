"""From an answer to published frames: check the rows against what is held, plan, commit. The only door to the store
for prices: whatever source an answer comes from, its rows pass here, one answer at a time.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog

from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.scrutiny import NAMED_ROWS_MAX, Fields, Inspection, Scrutiny
from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.terms import Terms
from bse_fetcher.together import together
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.shard_writer import Plan


log = structlog.get_logger()

PAUSE_S = 0.5
"""So long after a publication nothing else is expected of the exchange."""

PATIENCE_S = 5.0

DRIFT_TOLD_EVERY_S = 600.0


@dataclass(slots=True)
class Publisher:
    """Publishes answers on the shards that this fetcher may write."""

    terms: Terms
    instruments: KnownInstruments
    metrics: FetcherMetrics
    scrutiny: Scrutiny
    listeners: list[Callable[[Plan], None]] = field(default_factory=list)
    """Who is told of each plan that was committed."""
    drift: Counter[str] = field(default_factory=Counter)
    """Fields that were missing or had another type, since the start."""
    _drift_told_again_s: dict[str, float] = field(default_factory=dict)
    _pen: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _ended_s: float = float("-inf")

    async def idle(self) -> None:
        """Wait for a pause: whatever can wait must not stand between an answer and its frames.

        A pause begins when an answer is published: then the next one is farthest away. It is waited for at most
        PATIENCE_S, for in the night hardly anything comes.
        """
        if self._now_s() - self._ended_s > PAUSE_S:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._ended.wait()
        async with self._pen:
            pass

    @asynccontextmanager
    async def _publishing(self) -> AsyncIterator[None]:
        async with self._pen:
            yield
        self._ended_s = self._now_s()
        self._ended.set()  # wakes those who wait now, and nobody later
        self._ended.clear()

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()

    async def publish_list(self, answer: Answer, received_at_ms: int) -> None:
        """An answer that lists the whole market: a scrip that it lacks stays unconfirmed.

        A shard at a time: the store and the readers work on the first while the next is planned. Raises
        MalformedAnswer where every row contradicts what is held: such an answer confirms nothing.
        """
        plans: list[Plan] = []
        async with self._publishing():
            self.instruments.traded(answer.instruments)
            inspection = Inspection(self.scrutiny, answer, received_at_ms)
            by_shard = self._by_shard(answer)
            commits: list[asyncio.Task[list[Plan]]] = []
            async with together() as group:
                for shard in sorted(self.terms.writers):
                    if (writer := self.terms.writers.get(shard)) is None:
                        continue  # lost meanwhile
                    rows = inspection.rows(writer, by_shard.get(shard, {}))
                    plan = writer.plan_list(rows, received_at_ms)
                    plans.append(plan)
                    commits.append(group.create_task(self._commit({shard: plan})))
                    # Now it is sent, and the store works while we plan on.
                    await asyncio.sleep(0)
            committed = [plan for commit in commits for plan in commit.result()]
        # Only now: whoever listens must not hold up the shards that were not published yet.
        self._tell(committed)
        inspection.tell()
        self.tell_rejected(answer)
        if plans and not any(plan.seen for plan in plans):
            what = f"none of {len(answer.seen)} rows can follow what is held"
            raise MalformedAnswer("contradicts", what)

    async def publish_details(self, answer: Answer, received_at_ms: int) -> int:
        """An answer that tells something beside the price; how many scrips it was stored for."""
        async with self._publishing():
            plans = {
                shard: self.terms.writers[shard].plan_details(seen, received_at_ms)
                for shard, seen in self._by_shard(answer).items()
            }
            committed = await self._commit(plans)
        self._tell(committed)
        self.tell_rejected(answer)
        return sum(len(plan.seen) for plan in committed)

    async def publish_batch(
        self,
        answer: Answer,
        received_at_ms: int,
        *,
        asked_at_ms: int = 0,
        is_second: bool = False,
    ) -> int:
        """An answer that speaks only of the scrips in it; how many were stored.

        A scrip that was confirmed after `asked_at_ms` is left alone: answers overtake each other. `is_second`: not
        the primary's word (see `Inspection`).
        """
        async with self._publishing():
            inspection = Inspection(
                self.scrutiny, answer, received_at_ms, asked_at_ms, is_second=is_second
            )
            plans: dict[int, Plan] = {}
            for shard, told in self._by_shard(answer).items():
                writer = self.terms.writers[shard]
                if rows := inspection.rows(writer, told):
                    plans[shard] = writer.plan_batch(rows, received_at_ms)
            committed = await self._commit(plans)
        self._tell(committed)
        inspection.tell()
        self.tell_rejected(answer)
        return sum(len(plan.seen) for plan in committed)

    def _by_shard(self, answer: Answer) -> dict[int, dict[int, Fields]]:
        """What the answer told of each shard that this fetcher may write."""
        shards, writers = self.terms.shards, self.terms.writers
        told: dict[int, dict[int, Fields]] = {shard: {} for shard in range(shards)}
        for code, fields in answer.seen.items():
            told[shard_of(code, shards)][code] = fields
        return {shard: told[shard] for shard in writers if told[shard]}

    async def _commit(self, plans: Mapping[int, Plan]) -> list[Plan]:
        """Commit and count; those that were taken."""
        committed = await self.terms.commit(plans, self.instruments.master)
        for plan in committed:
            self.metrics.rows.labels("changed").inc(len(plan.images))
            self.metrics.rows.labels("unchanged").inc(len(plan.kept_alive))
        return committed

    def _tell(self, committed: Sequence[Plan]) -> None:
        for listener in self.listeners:
            for plan in committed:
                listener(plan)

    def tell_drift(self, drift: Mapping[str, int]) -> None:
        """Count what was gone or retyped, and name it: once in a while, for it will be so in each answer."""
        if not drift:
            return
        now_s = self._now_s()
        for what, count in drift.items():
            self.metrics.schema_drift.labels(what).inc(count)
        self.drift.update(drift)
        news = {
            what: count
            for what, count in drift.items()
            if now_s >= self._drift_told_again_s.get(what, 0)
        }
        if news:
            again_s = now_s + DRIFT_TOLD_EVERY_S
            self._drift_told_again_s.update(dict.fromkeys(news, again_s))
            log.warning("fetcher.schema_drift", **news)

    def tell_rejected(self, answer: Answer) -> None:
        """Count and name what the source got wrong."""
        self.tell_drift(answer.drift)
        if answer.rejected:
            self.metrics.rows.labels("rejected").inc(len(answer.rejected))
            log.warning(
                "fetcher.rows_rejected",
                count=len(answer.rejected),
                rows=[
                    f"{row.row}: {row.reason}"
                    for row in answer.rejected[:NAMED_ROWS_MAX]
                ],
            )
