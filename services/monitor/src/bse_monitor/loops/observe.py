"""Look, judge, keep the verdict and the news. Everybody else reads what this leaves behind."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bse_monitor.metrics import MonitorMetrics
from bse_monitor.rules.changes import StateChange, changes
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import NOTHING_SEEN, Observation
from bse_monitor.rules.status import Status
from bse_monitor.rules.verdict import aged, evaluate
from bse_shared.pacing.clock import Clock


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Event:
    """Something changed its state; `at_ms` is wall-clock time."""

    at_ms: int
    change: StateChange


@dataclass(frozen=True, slots=True)
class View:
    """What the doors show: the verdict, when it was made, how old it is now, and the news, newest first."""

    status: Status
    as_of_ms: int
    age_ms: float
    events: tuple[Event, ...]


class Observer:
    """The newest verdict and the last changes."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Observation]],
        limits: Limits,
        clock: Clock,
        metrics: MonitorMetrics,
        *,
        events_kept: int,
        view_stale_after_ms: float,
    ):
        self.looked = False
        self._look = look
        self._limits = limits
        self._clock = clock
        self._metrics = metrics
        self._view_stale_after_ms = view_stale_after_ms
        self._status = evaluate(NOTHING_SEEN, limits)
        self._as_of_ms = clock.wall_ms()
        self._as_of_monotonic_ms = clock.monotonic_ms()
        self._events: deque[Event] = deque(maxlen=events_kept)

    async def step(self) -> None:
        """One look."""
        began_ms = self._clock.monotonic_ms()
        status = evaluate(await self._look(), self._limits)
        self._as_of_ms = self._clock.wall_ms()
        self._as_of_monotonic_ms = self._clock.monotonic_ms()
        for change in changes(self._status if self.looked else None, status):
            self._events.appendleft(Event(self._as_of_ms, change))
            _log(change)
        self._status = status
        self.looked = True
        took_ms = self._as_of_monotonic_ms - began_ms
        self._metrics.show(status, self._as_of_ms, took_ms)

    def view(self) -> View:
        """The verdict as it stands now. An old one says so itself."""
        age_ms = self._clock.monotonic_ms() - self._as_of_monotonic_ms
        return View(
            aged(self._status, age_ms, self._view_stale_after_ms),
            self._as_of_ms,
            age_ms,
            tuple(self._events),
        )

    def not_ready(self) -> list[str]:
        """Why the status is worth little: before the first look, and without the store."""
        if not self.looked:
            return ["no look has been done yet"]
        if self._status.store.latency_ms is None:
            return [f"store: {reason}" for reason in self._status.store.reasons]
        return []


def _log(change: StateChange) -> None:
    log.info(
        "monitor.state_changed",
        part=change.part,
        was=change.was,
        now=change.now,
        reasons=list(change.reasons[:5]),
    )
