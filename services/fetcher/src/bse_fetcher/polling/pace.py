"""How long to wait before the next poll. Pure: the outcome and the jitter's rng are arguments."""

from collections.abc import Callable
from dataclasses import dataclass


FORBIDDEN_MAX_S = 1800.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The waits in seconds; see the settings of the same names."""

    interval_s: float
    closed_interval_s: float
    failing_interval_max_s: float
    forbidden_interval_s: float

    def after_answer(self, *, session_closed: bool) -> float:
        """After a usable answer."""
        return self.closed_interval_s if session_closed else self.interval_s

    def after_failure(self, failures: int, rng: Callable[[], float]) -> float:
        """After the `failures`th failure in a row: one quick retry, the usual interval, then doubling."""
        if failures <= 1:
            return self.interval_s * (0.2 + 0.2 * rng())
        wait_s = min(
            self.interval_s * 2.0 ** min(failures - 2, 16),
            max(self.failing_interval_max_s, self.interval_s),
        )
        return wait_s * (0.8 + 0.4 * rng())

    def after_forbidden(self, failures: int, rng: Callable[[], float]) -> float:
        """After the `failures`th 403 in a row: long waits, for quick retries prolong the block."""
        wait_s = self.forbidden_interval_s * 2.0 ** min(max(failures - 1, 0), 16)
        return min(wait_s, FORBIDDEN_MAX_S) * (0.8 + 0.4 * rng())

    def after_rate_limit(self, retry_after_s: float, rng: Callable[[], float]) -> float:
        """After a 429: what was asked for, and a little more."""
        return max(retry_after_s, self.interval_s) * (1 + 0.1 * rng())
