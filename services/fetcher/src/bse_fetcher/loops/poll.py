"""The poll cycle: ask, read, check, plan, commit. One canonical log line a cycle that went wrong."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bse_fetcher.exchange.bse_client import BseClient
from bse_fetcher.exchange.bse_payload import MarketAnswer, read_market
from bse_fetcher.exchange.errors import (
    ExchangeError,
    Forbidden,
    MalformedAnswer,
    RateLimited,
)
from bse_fetcher.feed import Feed
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.pace import Pace
from bse_fetcher.polling.plausibility import Timeline, contradiction
from bse_fetcher.terms import Terms
from bse_shared.pacing.clock import Clock
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote import Value
from bse_shared.redis_edge.store import MarketStore
from bse_shared.sessions.session import MarketSession


log = structlog.get_logger()

NAMED_ROWS_MAX = 10
SHARDS_AT_ONCE = 2

SeenByShard = list[dict[int, dict[int, Value]]]


@dataclass(slots=True)
class Poller:
    """Polls a list source while this fetcher is active."""

    client: BseClient
    terms: Terms
    store: MarketStore
    clock: Clock
    feed: Feed
    instruments: KnownInstruments
    pace: Pace
    session: Callable[[], MarketSession]
    metrics: FetcherMetrics
    timeline: Timeline
    due_ms: float = 0.0
    failures: int = 0
    refusals: int = 0

    async def step(self) -> None:
        """Poll if it is time and our turn."""
        if not self.terms.active:
            return
        activation = self.terms.activations
        if self.instruments.loaded_in != activation:
            self.instruments.load(await self.store.instruments(), activation)
        due_ms, started_ms = self.due_ms, self.clock.monotonic_ms()
        if started_ms < due_ms:
            return
        # First: a cycle that the store ends must not ask the exchange again at once.
        self.due_ms = started_ms + self.pace.after_failure(1, random.random) * 1000
        try:
            wait_s = await self._cycle()
        except ExchangeError as error:
            self.due_ms = self.clock.monotonic_ms() + self._failed(error) * 1000
        else:
            self.due_ms = self.pace.next_due_ms(due_ms, started_ms, wait_s)

    async def _cycle(self) -> float:
        asked_ms = self.clock.monotonic_ms()
        body = await self.client.market()
        answered_ms = self.clock.monotonic_ms()
        received_at_ms = self.store.now_ms()
        answer = read_market(body)
        if not answer.seen:
            self._tell_rejected(answer)
            raise MalformedAnswer("shape", f"no usable row of {len(answer.rejected)}")
        self.failures = self.refusals = 0
        self.metrics.polls.labels("ok").inc()
        self.metrics.answer_seconds.observe((answered_ms - asked_ms) / 1000)
        await self.publish(answer, received_at_ms)
        self.metrics.publish_seconds.observe(
            (self.clock.monotonic_ms() - answered_ms) / 1000
        )
        return self._wait_s()

    def _wait_s(self) -> float:
        session = self.session()
        changes_ms = session.next_change_at_ms
        return self.pace.after_answer(
            session_closed=session.phase == "closed",
            changes_in_s=None
            if changes_ms is None
            else (changes_ms - self.clock.wall_ms()) / 1000,
        )

    async def publish(self, answer: MarketAnswer, received_at_ms: int) -> None:
        """Check the rows against what is held, commit what changed, publish it.

        A few shards at a time: readers work on the first ones while the next are planned.
        """
        self.instruments.traded(answer.instruments)
        by_shard = self._plausible(answer)
        shards = sorted(self.terms.writers)
        for start in range(0, len(shards), SHARDS_AT_ONCE):
            plans = {
                shard: writer.plan_list(by_shard[shard], received_at_ms)
                for shard in shards[start : start + SHARDS_AT_ONCE]
                if (writer := self.terms.writers.get(shard)) is not None
            }
            await self.terms.commit(plans, self.instruments.master)
            changed = sum(len(plan.images) for plan in plans.values())
            self.metrics.rows.labels("changed").inc(changed)
            unchanged = sum(len(plan.kept_alive) for plan in plans.values())
            self.metrics.rows.labels("unchanged").inc(unchanged)
        self._tell_rejected(answer)
        self.feed.answered(received_at_ms, len(answer.seen), len(answer.rejected))

    def _plausible(self, answer: MarketAnswer) -> SeenByShard:
        """The rows by shard, without those that contradict what is held."""
        shards = self.store.shards
        by_shard: SeenByShard = [{} for _ in range(shards)]
        doubtful: dict[int, str] = {}
        for code, fields in answer.seen.items():
            shard = shard_of(code, shards)
            writer = self.terms.writers.get(shard)
            held = writer.images.get(code) if writer else None
            if why := contradiction(held, fields):
                doubtful[code] = why
            else:
                by_shard[shard][code] = fields
        believed = self.timeline.believed(doubtful)
        if believed:
            log.warning("fetcher.new_timeline", rows=len(believed))
        for code in believed:
            del doubtful[code]
            by_shard[shard_of(code, shards)][code] = answer.seen[code]
        for why in doubtful.values():
            self.metrics.rows.labels(why).inc()
        if doubtful:
            some = dict(list(doubtful.items())[:NAMED_ROWS_MAX])
            log.warning("fetcher.rows_contradict", count=len(doubtful), rows=some)
        return by_shard

    def _tell_rejected(self, answer: MarketAnswer) -> None:
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

    def _failed(self, error: ExchangeError) -> float:
        self.failures += 1
        self.feed.failed(str(error))
        self.metrics.polls.labels(error.kind).inc()
        if isinstance(error, RateLimited):
            wait_s = self.pace.after_rate_limit(error.retry_after_s, random.random)
        elif isinstance(error, Forbidden):
            self.refusals += 1
            wait_s = self.pace.after_forbidden(self.refusals, random.random)
        else:
            wait_s = self.pace.after_failure(self.failures, random.random)
        log.warning(
            "fetcher.poll_failed",
            kind=error.kind,
            error=str(error),
            failures=self.failures,
            next_in_s=round(wait_s, 1),
        )
        return wait_s
