"""How long to wait before the next poll. Pure: the outcome and the jitter's rng are arguments."""

from collections.abc import Callable
from dataclasses import dataclass


LATE_MAX = 0.1
"""A poll that comes later than this part of its wait starts a new rhythm."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits in seconds; see the settings of the same names."""

    interval_s: float
    closed_interval_s: float

    def after_answer(
        self, *, session_closed: bool, changes_in_s: float | None
    ) -> float:
        """After a usable answer. A closed session's long wait never outlasts it (`changes_in_s`)."""
        if not session_closed:
            return self.interval_s
        if changes_in_s is None:
            return self.closed_interval_s
        return min(self.closed_interval_s, max(changes_in_s, self.interval_s))

    def next_due_ms(self, due_ms: float, started_ms: float, wait_s: float) -> float:
        """When the next poll is due: `wait_s` after this one was, so that small delays do not add up.

        One that started late begins a new rhythm: there is never a burst to catch up.
        """
        wait_ms = wait_s * 1000
        late = started_ms - due_ms > wait_ms * LATE_MAX
        return (started_ms if late else due_ms) + wait_ms

    def after_failure(
        self, failures: int, usual_s: float, rng: Callable[[], float]
    ) -> float:
        """After the `failures`th failure in a row: one quick retry, then a little under what is `usual_s`, the wait
        after an answer.

        No longer than that: a source that heals must be used again within one interval. No shorter in the night: who
        is ill is not asked more often than who is well.
        """
        if failures <= 1:
            return usual_s * (0.2 + 0.2 * rng())
        return usual_s * (0.8 + 0.2 * rng())
