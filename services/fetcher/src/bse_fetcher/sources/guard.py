"""Stands before one endpoint of one source: its circuit breaker, its retries, and the source's budget, which all
replicas share: each try spends of it.

Whoever is blocked or asked to wait tells the store, so that a replica that takes over does not ask at once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.circuit import Circuit, State
from bse_fetcher.sources.errors import ExchangeError, Forbidden, NotAsked, RateLimited
from bse_fetcher.sources.retries import ONE_TRY, Retries
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.source_budgets import SourceBudgets
from bse_shared.wire.records import SourceRecord


T = TypeVar("T")

PAUSE_S = 1.0


class Guard:
    """Lets calls through, or not, and learns from their outcome."""

    def __init__(
        self,
        source: str,
        endpoint: str,
        circuit: Circuit,
        budgets: SourceBudgets,
        clock: Clock,
        metrics: FetcherMetrics,
        paused: Callable[[], bool],
        retries: Retries,
        own_budget: str = "",
    ):
        """`paused`: whether an operator wants nobody to be asked.

        `own_budget`: one that is spent before the source's, for calls that must leave room for others.
        """
        self.source = source
        self.endpoint = endpoint
        self.circuit = circuit
        self.last_error = ""
        self.last_ok_ms: float | None = None
        self._budgets = budgets
        self._clock = clock
        self._metrics = metrics
        self._paused = paused
        self._retries = retries
        self._spends = [own_budget, source] if own_budget else [source]

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` returns. Raises its ExchangeError, or NotAsked where the source is spared.

        An answer that `ask` finds useless (it reads it) counts as a failure, whatever its status was.
        """
        now_ms = self._clock.monotonic_ms()
        if self._paused():
            raise NotAsked("paused", PAUSE_S)
        if not self.circuit.try_start(now_ms):
            raise NotAsked("circuit_open", self.circuit.closed_in_s(now_ms))
        tries = _Tries()
        try:
            answer = await self._retries.call(
                lambda: self._try(ask, tries), may_go_on=self._may_try_again
            )
        except NotAsked:
            self.circuit.gave_up()
            raise
        except ExchangeError:
            raise  # the circuit knows
        except BaseException:
            self.circuit.gave_up()
            raise
        self.last_error = ""
        self.last_ok_ms = self._clock.monotonic_ms()
        self.circuit.succeeded(self.last_ok_ms)
        return answer

    async def _try(self, ask: Callable[[], Awaitable[T]], tries: "_Tries") -> T:
        try:
            await self._spend()
        except NotAsked:
            if tries.error is None:
                raise
            raise tries.error from None  # what happened is that it failed
        if tries.error is not None:
            self._metrics.retries.labels(self.source, self.endpoint).inc()
        try:
            answer = await ask()
        except ExchangeError as error:
            is_first, tries.error = tries.error is None, error
            self.last_error = str(error)
            self._count(error.kind)
            await self._failed(error, again=not is_first)
            raise
        self._count("ok")
        return answer

    def _may_try_again(self) -> bool:
        """Not while it is paused; nor a probe: one of these an interval is enough."""
        now_ms = self._clock.monotonic_ms()
        return not self._paused() and self.circuit.state(now_ms) is State.CLOSED

    async def _spend(self) -> None:
        for budget in self._spends:
            wait_s = await self._budgets.spend(budget)
            if wait_s > 0:
                raise NotAsked("over_budget", wait_s)

    async def _failed(self, error: ExchangeError, *, again: bool) -> None:
        now_ms = self._clock.monotonic_ms()
        if isinstance(error, RateLimited):
            self.circuit.asked_to_wait(now_ms, error.retry_after_s)
            await self._budgets.block(self.source, error.retry_after_s)
        elif isinstance(error, Forbidden):
            await self._budgets.block(self.source, self.circuit.forbidden(now_ms))
        else:
            self.circuit.failed(now_ms, again=again)

    def _count(self, outcome: str) -> None:
        self._metrics.calls.labels(self.source, self.endpoint, outcome).inc()


@dataclass(slots=True)
class _Tries:
    """How the tries of one call ended so far."""

    error: ExchangeError | None = None


_LEVEL = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class Guards:
    """All guards of this fetcher: who makes them, and who tells of their state."""

    def __init__(
        self,
        budgets: SourceBudgets,
        clock: Clock,
        circuit: Callable[[], Circuit],
        metrics: FetcherMetrics,
        paused: Callable[[], bool] = lambda: False,
        retries: Retries = ONE_TRY,
    ):
        self._paused = paused
        self._budgets = budgets
        self._clock = clock
        self._circuit = circuit
        self._metrics = metrics
        self._retries = retries
        self._guards: list[tuple[Guard, str]] = []

    def add(self, source: str, endpoint: str, role: str, own_budget: str = "") -> Guard:
        """A guard for the endpoint; `role` says what for: primary, backup, master, …"""
        guard = Guard(
            source,
            endpoint,
            self._circuit(),
            self._budgets,
            self._clock,
            self._metrics,
            self._paused,
            self._retries,
            own_budget,
        )
        self._guards.append((guard, role))
        return guard

    def records(self) -> list[SourceRecord]:
        """The state of every endpoint, for people and for the beat."""
        now_ms = self._clock.monotonic_ms()
        found = []
        for guard, role in self._guards:
            state = guard.circuit.state(now_ms)
            self._metrics.circuit.labels(guard.source, guard.endpoint).set(
                _LEVEL[state]
            )
            found.append(
                SourceRecord(
                    source=guard.source,
                    endpoint=guard.endpoint,
                    role=role,
                    circuit=state,
                    failures=guard.circuit.failures,
                    opened=guard.circuit.opened,
                    asked_again_in_ms=int(guard.circuit.closed_in_s(now_ms) * 1000),
                    answered_ms_ago=None
                    if guard.last_ok_ms is None
                    else int(now_ms - guard.last_ok_ms),
                    last_error=guard.last_error,
                )
            )
        return found
