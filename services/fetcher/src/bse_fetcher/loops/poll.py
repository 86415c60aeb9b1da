"""The poll cycle of a list source: ask, read, check, plan, commit. One canonical log line a cycle that went wrong."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from bse_fetcher.core import Core
from bse_fetcher.feed import Feed
from bse_fetcher.polling.frozen import FrozenFeed, newest_trade_ms
from bse_fetcher.polling.hedge import is_late
from bse_fetcher.polling.pace import Pace
from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.errors import ExchangeError, MalformedAnswer, NotAsked
from bse_fetcher.sources.guard import Guard
from bse_fetcher.sources.protocol import ListSource
from bse_shared.sessions.session import MarketSession


log = structlog.get_logger()


class Received(NamedTuple):
    """An answer, when its last byte had come (monotonic ms), and the store's time then."""

    answer: Answer
    at_ms: float
    store_ms: int


@dataclass(slots=True)
class Poller:
    """Polls a list source while this fetcher is active."""

    core: Core
    source: ListSource
    guard: Guard
    feed: Feed
    pace: Pace
    session: Callable[[], MarketSession]
    frozen: FrozenFeed
    due_ms: float = 0.0
    failures: int = 0
    waiting_since_ms: float | None = None
    """Since when an answer is waited for; None once one has come."""
    answered_ms: float | None = None
    told_in: int = 0

    async def step(self) -> None:
        """Poll if it is time and our turn."""
        if not await self.core.is_our_turn():
            return
        if self.told_in != self.core.terms.activations:
            self.told_in = self.core.terms.activations
            self.source.forget()  # what it told of names went to another master
            # Others asked meanwhile: how long it is since an answer of ours means nothing.
            self.waiting_since_ms = self.answered_ms = None
        if not self.core.orders.may_ask(self.source.name):
            self.feed.failed(self.core.orders.told())
            return
        if self.core.orders.take_poll_now():
            self.due_ms = 0.0
        due_ms, started_ms = self.due_ms, self.core.clock.monotonic_ms()
        if started_ms < due_ms:
            return
        # First: a cycle that the store ends must not ask the exchange again at once.
        self.due_ms = started_ms + self._wait_after_failure_s(1) * 1000
        try:
            wait_s = await self._cycle()
        except ExchangeError as error:
            wait_s = self._failed(error)
            self.due_ms = self.core.clock.monotonic_ms() + wait_s * 1000
        else:
            self.due_ms = self.pace.next_due_ms(due_ms, started_ms, wait_s)

    async def _cycle(self) -> float:
        asked_ms = self.core.clock.monotonic_ms()
        if self.waiting_since_ms is None:
            self.waiting_since_ms = asked_ms
        received = await self.guard.call(self._ask)
        answer = received.answer
        self.core.metrics.polls.labels("ok").inc()
        self.core.metrics.answer_seconds.observe((received.at_ms - asked_ms) / 1000)
        if self.core.orders.frozen:
            self.feed.failed(self.core.orders.told())
            self._answered(received)
            return self._wait_s()
        await self.core.publisher.publish_list(answer, received.store_ms)
        self._answered(received)
        self.feed.answered(received.store_ms, len(answer.seen), len(answer.rejected))
        self.core.metrics.publish_seconds.observe(
            (self.core.clock.monotonic_ms() - received.at_ms) / 1000
        )
        if newest_ms := newest_trade_ms(answer.seen):
            age_ms = received.store_ms - newest_ms
            self.core.metrics.newest_trade_age.set(age_ms / 1000)
        return self._wait_s()

    async def _ask(self) -> Received:
        unread = await self.source.ask_market()
        at_ms, store_ms = self.core.clock.monotonic_ms(), self.core.store.now_ms()
        answer = unread.read()
        if not answer.seen:
            self.core.publisher.tell_rejected(answer)
            raise MalformedAnswer("shape", f"no usable row of {len(answer.rejected)}")
        moves = self.session().phase == "open"
        if self.frozen.is_frozen(answer.seen, at_ms, should_move=moves):
            # Prices that nobody confirmed anew must not look fresh.
            raise MalformedAnswer("frozen", "nothing has moved for too long")
        return Received(answer, at_ms, store_ms)

    def _answered(self, received: Received) -> None:
        self.failures = 0
        self.waiting_since_ms, self.answered_ms = None, received.at_ms

    def is_late(self, patience_s: float) -> bool:
        """Whether the answer is overdue, while the market is open."""
        if self.told_in != self.core.terms.activations:
            return False  # it is our turn since a moment ago, and nothing was asked yet
        return self.session().phase != "closed" and is_late(
            self.core.clock.monotonic_ms(),
            answered_ms=self.answered_ms,
            asked_ms=self.waiting_since_ms,
            interval_ms=self.pace.interval_s * 1000,
            patience_ms=patience_s * 1000,
        )

    def _wait_s(self) -> float:
        session = self.session()
        changes_ms = session.next_change_at_ms
        return self.pace.after_answer(
            session_closed=session.phase == "closed",
            changes_in_s=None
            if changes_ms is None
            else (changes_ms - self.core.clock.wall_ms()) / 1000,
        )

    def _wait_after_failure_s(self, failures: int) -> float:
        return self.pace.after_failure(failures, self._wait_s(), random.random)

    def _failed(self, error: ExchangeError) -> float:
        now_ms = self.core.clock.monotonic_ms()
        if isinstance(error, NotAsked):
            self.feed.failed(self.guard.last_error or str(error))
            return error.retry_in_s
        self.failures += 1
        self.feed.failed(str(error))
        self.core.metrics.polls.labels(error.kind).inc()
        wait_s = max(
            self._wait_after_failure_s(self.failures),
            self.guard.circuit.closed_in_s(now_ms),
        )
        log.warning(
            "fetcher.poll_failed",
            kind=error.kind,
            error=str(error),
            failures=self.failures,
            next_in_s=round(wait_s, 1),
        )
        return wait_s
