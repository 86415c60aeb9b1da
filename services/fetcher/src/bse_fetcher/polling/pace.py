"""How long to wait before the next poll. Pure: the outcome and the jitter's rng are arguments."""

from collections.abc import Callable
from dataclasses import dataclass


FORBIDDEN_MAX_S = 1800.0
LATE_MAX = 0.1
"""A poll that comes later than this part of its wait starts a new rhythm."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits in seconds; see the settings of the same names."""

    interval_s: float
    closed_interval_s: float
    failing_interval_max_s: float
    forbidden_interval_s: float

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

    def after_failure(self, failures: int, rng: Callable[[], float]) -> float:
        """After the `failures`th failure in a row: one quick retry, the usual interval, then doubling."""
        if failures <= 1:
            return self.interval_s * (0.2 + 0.2 * rng())
        wait_s = min(
            self.interval_s * 2.0 ** min(failures - 2, 16),
            max(self.failing_interval_max_s, self.interval_s),
        )
        return wait_s * (0.8 + 0.4 * rng())

    def after_forbidden(self, refusals: int, rng: Callable[[], float]) -> float:
        """After the `refusals`th 403 without an answer between: long, for quick retries prolong the block."""
        wait_s = self.forbidden_interval_s * 2.0 ** min(max(refusals - 1, 0), 16)
        return min(wait_s, FORBIDDEN_MAX_S) * (0.8 + 0.4 * rng())

    def after_rate_limit(self, retry_after_s: float, rng: Callable[[], float]) -> float:
        """After a 429: what was asked for, and a little more."""
        return max(retry_after_s, self.interval_s) * (1 + 0.1 * rng())
