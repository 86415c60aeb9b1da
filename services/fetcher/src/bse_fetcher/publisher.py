"""From an answer to published frames: check the rows against what is held, plan, commit. The only door to the store
for prices: whatever source an answer comes from, its rows pass here, one answer at a time.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.plausibility import Timeline, clock_is_ahead, contradiction
from bse_fetcher.polling.validation import doubt
from bse_fetcher.sources.answer import Answer
from bse_fetcher.terms import Terms
from bse_fetcher.together import together
from bse_shared.quotes.frame import Image
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote import NUMBER, Condition, Value
from bse_shared.quotes.shard_writer import Plan


log = structlog.get_logger()

NAMED_ROWS_MAX = 10
SHARDS_AT_ONCE = 2

_CONDITION, _SUSPECT = NUMBER["condition"], int(Condition.SUSPECT)

SeenByShard = list[dict[int, Mapping[int, Value]]]


@dataclass(slots=True)
class Publisher:
    """Publishes answers on the shards that this fetcher may write."""

    terms: Terms
    instruments: KnownInstruments
    metrics: FetcherMetrics
    timeline: Timeline
    listeners: list[Callable[[Plan], None]] = field(default_factory=list)
    """Who is told of each plan that was committed."""
    suspects: dict[int, str] = field(default_factory=dict)
    """Scrips that another source contradicts, and how."""
    doubts: dict[int, str] = field(default_factory=dict)
    """Scrips whose rows don't fit together, and why."""
    _pen: asyncio.Lock = field(default_factory=asyncio.Lock)

    def suspect_count(self) -> int:
        """How many prices are marked as suspect."""
        return len(self.doubts.keys() | self.suspects.keys())

    async def publish_list(self, answer: Answer, received_at_ms: int) -> None:
        """An answer that lists the whole market: a scrip that it lacks stays unconfirmed.

        A few shards at a time: the store and the readers work on the first ones while the next are planned.
        """
        async with self._pen:
            self.instruments.traded(answer.instruments)
            by_shard = self._plausible(answer, received_at_ms)
            commits: list[asyncio.Task[list[Plan]]] = []
            shards = sorted(self.terms.writers)
            async with together() as group:
                for start in range(0, len(shards), SHARDS_AT_ONCE):
                    plans = {
                        shard: writer.plan_list(by_shard[shard], received_at_ms)
                        for shard in shards[start : start + SHARDS_AT_ONCE]
                        if (writer := self.terms.writers.get(shard)) is not None
                    }
                    commits.append(group.create_task(self._commit(plans)))
                    await asyncio.sleep(
                        0
                    )  # it is sent; the store works while we plan on
            committed = [plan for commit in commits for plan in commit.result()]
        # Only now: whoever listens must not hold up the shards that were not published yet.
        self._tell(committed)
        self.tell_rejected(answer)

    async def publish_details(self, answer: Answer, received_at_ms: int) -> int:
        """An answer that tells something beside the price; how many scrips it was stored for."""
        async with self._pen:
            by_shard: dict[int, dict[int, Mapping[int, Value]]] = {}
            for code, fields in answer.seen.items():
                shard = shard_of(code, self.terms.shards)
                if shard in self.terms.writers:
                    by_shard.setdefault(shard, {})[code] = fields
            plans = {
                shard: self.terms.writers[shard].plan_details(seen, received_at_ms)
                for shard, seen in by_shard.items()
            }
            committed = await self._commit(plans)
        self._tell(committed)
        self.tell_rejected(answer)
        return sum(len(plan.seen) for plan in committed)

    async def publish_batch(
        self, answer: Answer, received_at_ms: int, *, newer_than_ms: int = 0
    ) -> int:
        """An answer that speaks only of the scrips in it; how many were stored.

        `newer_than_ms`: a scrip that was confirmed since is left alone (a backup's answer that came too late).
        """
        async with self._pen:
            by_shard: dict[int, dict[int, Mapping[int, Value]]] = {}
            doubtful: dict[int, str] = {}
            for code, fields in answer.seen.items():
                shard = shard_of(code, self.terms.shards)
                writer = self.terms.writers.get(shard)
                if writer is None or writer.confirmed.at_ms(code) > newer_than_ms > 0:
                    continue
                held = writer.images.get(code)
                if held is not None and (
                    why := contradiction(held, fields, received_at_ms)
                ):
                    doubtful[code] = why
                else:
                    marked = self._marked(code, fields, held)
                    by_shard.setdefault(shard, {})[code] = marked
            for code in self._in_another_time(answer, doubtful, received_at_ms):
                shard = shard_of(code, self.terms.shards)
                by_shard.setdefault(shard, {})[code] = answer.seen[code]
            self._tell_doubtful(doubtful)
            plans = {
                shard: self.terms.writers[shard].plan_batch(seen, received_at_ms)
                for shard, seen in by_shard.items()
            }
            committed = await self._commit(plans)
        self._tell(committed)
        self.tell_rejected(answer)
        return sum(len(plan.seen) for plan in committed)

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

    def tell_rejected(self, answer: Answer) -> None:
        """Count and name what the source got wrong."""
        for what, count in answer.drift.items():
            self.metrics.schema_drift.labels(what).inc(count)
        if answer.drift:
            log.warning("fetcher.schema_drift", **answer.drift)
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

    def _plausible(self, answer: Answer, now_ms: int) -> SeenByShard:
        """The rows by shard, without those that contradict what is held."""
        shards = self.terms.shards
        by_shard: SeenByShard = [{} for _ in range(shards)]
        writers = [self.terms.writers.get(shard) for shard in range(shards)]
        doubtful: dict[int, str] = {}
        for code, fields in answer.seen.items():
            shard = shard_of(code, shards)
            writer = writers[shard]
            if writer is not None and not writer.has_taken(code, fields):
                held = writer.images.get(code)
                if held is not None and (why := contradiction(held, fields, now_ms)):
                    doubtful[code] = why
                    continue
                by_shard[shard][code] = self._marked(code, fields, held)
            else:
                by_shard[shard][code] = fields
        for code in self._in_another_time(answer, doubtful, now_ms):
            by_shard[shard_of(code, shards)][code] = answer.seen[code]
        believed = self.timeline.believed(doubtful)
        if believed:
            log.warning("fetcher.new_timeline", rows=len(believed))
        for code in believed:
            del doubtful[code]
            by_shard[shard_of(code, shards)][code] = answer.seen[code]
        self._tell_doubtful(doubtful)
        return by_shard

    def _in_another_time(
        self, answer: Answer, doubtful: dict[int, str], now_ms: int
    ) -> list[int]:
        """The rows from the future that are no bad rows, for the whole source is there; they are in doubt no more."""
        future = [c for c, why in doubtful.items() if why == "time_in_future"]
        if not future or not clock_is_ahead(answer.seen.values(), now_ms):
            return []
        for code in future:
            del doubtful[code]
        return future

    def _marked(
        self, code: int, fields: Mapping[int, Value], held: Image | None
    ) -> Mapping[int, Value]:
        """The fields, marked as suspect where there is a reason."""
        why = doubt(fields, held.quote if held else None)
        if not why and not self.doubts and not self.suspects:
            return fields
        if why:
            if self.doubts.get(code) != why:
                self.doubts[code] = why
                self.metrics.suspects.labels(why).inc()
                log.warning("fetcher.price_suspect", code=code, why=why)
        elif code in self.doubts:
            del self.doubts[code]
        if why or code in self.suspects:
            return {**fields, _CONDITION: _SUSPECT}
        return fields

    def _tell_doubtful(self, doubtful: Mapping[int, str]) -> None:
        for why in doubtful.values():
            self.metrics.rows.labels(why).inc()
        if doubtful:
            some = dict(list(doubtful.items())[:NAMED_ROWS_MAX])
            log.warning("fetcher.rows_contradict", count=len(doubtful), rows=some)
