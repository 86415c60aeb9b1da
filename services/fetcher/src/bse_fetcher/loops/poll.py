"""The poll cycle: ask, read, check, plan, commit. One canonical log line a cycle that went wrong."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from bse_fetcher.feed import Feed
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.pace import Pace
from bse_fetcher.publisher import Publisher
from bse_fetcher.sources.bse.client import BseClient
from bse_fetcher.sources.bse.market_list import MarketReader
from bse_fetcher.sources.errors import (
    ExchangeError,
    Forbidden,
    MalformedAnswer,
    RateLimited,
)
from bse_fetcher.terms import Terms
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.store import MarketStore
from bse_shared.sessions.session import MarketSession


log = structlog.get_logger()


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
    publisher: Publisher
    reader: MarketReader = field(default_factory=MarketReader)
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
            self.reader = MarketReader()  # what it told of names went to another master
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
        answer = self.reader.read(body)
        if not answer.seen:
            self.publisher.tell_rejected(answer)
            raise MalformedAnswer("shape", f"no usable row of {len(answer.rejected)}")
        self.failures = self.refusals = 0
        self.metrics.polls.labels("ok").inc()
        self.metrics.answer_seconds.observe((answered_ms - asked_ms) / 1000)
        await self.publisher.publish_list(answer, received_at_ms)
        self.feed.answered(received_at_ms, len(answer.seen), len(answer.rejected))
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
