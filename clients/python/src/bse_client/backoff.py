"""How long to wait before the next attempt: exponential with full jitter. Pure; chance is given."""

from collections.abc import Callable
from dataclasses import dataclass


_DOUBLINGS_MAX = 16


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits uniform in [0, min(max_s, first_s * 2^failures)], so that clients don't come in step."""

    first_s: float = 0.25
    max_s: float = 30.0

    def wait_s(self, failures: int, rng: Callable[[], float]) -> float:
        """The wait after the first failure (0), the second (1), … `rng` gives [0, 1)."""
        doublings = min(max(failures, 0), _DOUBLINGS_MAX)
        return rng() * min(self.max_s, self.first_s * float(1 << doublings))
