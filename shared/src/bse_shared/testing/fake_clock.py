"""A clock that moves only when it is told to."""


class FakeClock:
    """The `Clock` protocol, advanced by hand."""

    def __init__(self, monotonic_ms: float = 1_000, wall_ms: int = 1_795_334_400_000):
        self._monotonic_ms = monotonic_ms
        self._wall_ms = wall_ms

    def monotonic_ms(self) -> float:
        """The hand-set monotonic time."""
        return self._monotonic_ms

    def wall_ms(self) -> int:
        """The hand-set wall time."""
        return self._wall_ms

    def advance(self, milliseconds: float) -> None:
        """Let time pass on both clocks."""
        self._monotonic_ms += milliseconds
        self._wall_ms += int(milliseconds)
