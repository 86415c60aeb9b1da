"""Whether more of the same commit is on its way: then the flush waits a moment, instead of sending it in two frames."""

from dataclasses import dataclass


QUIET_MS = 3.0
"""The frames of a commit, one a shard, follow each other faster."""

HELD_MAX_MS = 12.0
"""A flush that is due is held no longer, however busy the bus is."""


@dataclass(slots=True)
class Burst:
    """When the last change came."""

    changed_at_ms: float = float("-inf")

    def changed(self, now_ms: float) -> None:
        """One came now."""
        self.changed_at_ms = now_ms

    def hold_ms(self, now_ms: float, due_ms: float) -> float:
        """How long a flush that was due at `due_ms` waits from now; 0 when it goes."""
        quiet_at_ms = self.changed_at_ms + QUIET_MS
        return max(0.0, min(quiet_at_ms, due_ms + HELD_MAX_MS) - now_ms)
