"""The one reader of the real clock."""

import time


class SystemClock:
    """The process's clock, as the `Clock` protocol."""

    def monotonic_ms(self) -> float:
        """Milliseconds that never run backwards."""
        return time.monotonic() * 1000

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000
