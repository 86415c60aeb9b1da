"""How long live prices may be shown as live, and when a silent connection counts as lost.

Pure. Only a heartbeat renews the permission; between the welcome and the first heartbeat it lasts
as long as a silence may.
"""

SILENCE_MS = 3_000
SILENT_HEARTBEATS = 3
"""Nothing at all heard for so long (the longer of the two): live prices are stale until the next heartbeat."""

NEVER = float("-inf")


class Liveness:
    """The permission to show prices as live, of one connection after another."""

    def __init__(self, lost_after_heartbeats: int = 5):
        self._lost_after_heartbeats = lost_after_heartbeats
        self._lost_after_ms = self._silence_ms = float(SILENCE_MS)
        self._heard_ms = NEVER
        self._live_until_ms = NEVER

    def connected(self, heartbeat_interval_ms: int, now_ms: float) -> None:
        """A connection began with a welcome."""
        self.granted(heartbeat_interval_ms)
        self._heard_ms = now_ms
        self._live_until_ms = now_ms + SILENCE_MS

    def granted(self, interval_ms: int) -> None:
        """Heartbeats come so often from now on."""
        self._silence_ms = float(max(SILENCE_MS, SILENT_HEARTBEATS * interval_ms))
        lost_after = self._lost_after_heartbeats * interval_ms
        self._lost_after_ms = max(self._silence_ms, lost_after)

    def disconnected(self) -> None:
        """Nothing is heard any more."""
        self._live_until_ms = NEVER

    def heard(self, now_ms: float) -> None:
        """Any message came in. After a silence it takes a heartbeat to be live again."""
        if now_ms - self._heard_ms >= self._silence_ms:
            self._live_until_ms = NEVER
        self._heard_ms = now_ms

    def beat(self, live_for_ms: float, now_ms: float) -> None:
        """A heartbeat, heard before, allows to show live prices for so long."""
        self._live_until_ms = now_ms + live_for_ms

    def is_live(self, now_ms: float) -> bool:
        """Whether scrips that the hub called live may be shown as live now."""
        return now_ms < self._stale_at_ms()

    def is_lost(self, now_ms: float) -> bool:
        """Whether the connection was silent for so long that it must be replaced."""
        return now_ms - self._heard_ms >= self._lost_after_ms

    def next_check_ms(self, now_ms: float) -> float:
        """When one of the two answers above may change without a message."""
        stale_at = self._stale_at_ms()
        return stale_at if now_ms < stale_at else self._heard_ms + self._lost_after_ms

    def _stale_at_ms(self) -> float:
        return min(self._live_until_ms, self._heard_ms + self._silence_ms)
