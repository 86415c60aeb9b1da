"""The hub's clock as seen through ours: for ages, and for how long a message was on its way.

Pure. The quickest message of the last half minute or so tells the offset: what arrives later than that
waited somewhere. Two windows take turns, so a stepped or drifting clock is forgotten after a minute.
"""

WINDOW_MS = 30_000


class ServerClock:
    """Estimates the hub's time from the `server_time_ms` of its messages."""

    def __init__(self) -> None:
        self._offset_ms: float | None = None
        self._before_ms: float | None = None
        self._window_ends_ms = 0.0

    def observe(self, server_time_ms: int, now_ms: float) -> float:
        """Take one reading; how much longer than the quickest this message was on its way."""
        offset = server_time_ms - now_ms
        if now_ms >= self._window_ends_ms:
            self._before_ms, self._offset_ms = self._offset_ms, None
            self._window_ends_ms = now_ms + WINDOW_MS
        if self._offset_ms is None or offset > self._offset_ms:
            self._offset_ms = offset
        return self._best_ms(offset) - offset

    def now_ms(self, now_ms: float) -> float | None:
        """The hub's time at our `now_ms`; None while unknown."""
        if self._offset_ms is None:
            return None
        return now_ms + self._best_ms(self._offset_ms)

    def _best_ms(self, offset: float) -> float:
        windows = (self._offset_ms, self._before_ms)
        return max(offset, *(best for best in windows if best is not None))
