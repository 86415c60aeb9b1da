"""Which streams must be warned, and which must end, because of what was proved and when. Pure."""

from typing import NamedTuple

from bse_ws_hub.admission.deadlines import Deadlines
from bse_ws_hub.admission.identity import Identity


WARNED_BEFORE_MS = 60_000
PROVED_WITHIN_MS = 5_000
"""Where something is required: who has shown nothing by then is closed."""


class Due(NamedTuple):
    """Streams by their ids."""

    unproved: list[str]
    expiring: list[str]
    expired: list[str]


class Expiry:
    """Follows the identity of each stream."""

    def __init__(self) -> None:
        self._unproved = Deadlines()
        self._expiring = Deadlines()
        self._expired = Deadlines()

    def follow(self, stream: str, identity: Identity, now_ms: float) -> None:
        """The stream has this identity from `now_ms` (monotonic) on."""
        self.forget(stream)
        if not identity.proved:
            self._unproved.set(stream, now_ms + PROVED_WITHIN_MS)
        end_ms = identity.principal.expires_at_ms
        if end_ms is not None:
            self._expiring.set(stream, end_ms - WARNED_BEFORE_MS)
            self._expired.set(stream, end_ms)

    def forget(self, stream: str) -> None:
        """The stream is over."""
        for deadlines in (self._unproved, self._expiring, self._expired):
            deadlines.drop(stream)

    def due(self, now_ms: float, wall_ms: int) -> Due:
        """What is due, once each. Tokens end by the wall clock, waiting is by the monotonic one."""
        expired = self._expired.due(wall_ms)
        over = set(expired)
        expiring = [s for s in self._expiring.due(wall_ms) if s not in over]
        return Due(self._unproved.due(now_ms), expiring, expired)
