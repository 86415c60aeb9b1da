"""The clock as an argument. Only `service/system_clock.py` implements it; tests bring their own."""

from typing import Protocol


class Clock(Protocol):
    """Two readings: monotonic for ages and durations, wall for what people and epochs need."""

    def monotonic_ms(self) -> float:
        """Milliseconds that never run backwards; comparable only within this process."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump."""
        ...
