"""What may be tried again, and after how long: exponential with full jitter."""

from collections.abc import Callable


class TransientError(Exception):
    """Something outside is away or overloaded; the same call may go through later."""


def full_jitter_s(
    failures: int, rng: Callable[[], float], *, first_s: float = 0.25, max_s: float = 5
) -> float:
    """The wait after `failures` failures in a row: uniform in [0, min(max, first * 2^n)].

    `rng` gives [0, 1). Full jitter keeps many instances from trying in step.
    """
    return rng() * min(max_s, first_s * float(1 << min(max(failures - 1, 0), 16)))
