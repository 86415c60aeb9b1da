"""The places of an identity among its streams: over all hubs where it is proved, by address here where not yet."""

from collections import Counter
from dataclasses import dataclass, field

from bse_ws_hub.admission.identity import Identity
from bse_ws_hub.admission.lease_desk import LeaseDesk


UNPROVED_PER_ADDRESS_MAX = 100
"""Connections of one address that have proved nothing yet, where something is required."""


@dataclass(slots=True)
class Places:
    """Who is counted by nobody has always room."""

    desk: LeaseDesk
    _unproved: Counter[str] = field(default_factory=Counter)

    async def take(self, identity: Identity, *, replaces: bool) -> bool:
        """Count one more stream, if there may be one. `replaces`: another of it is about to go."""
        if identity.connections is None:
            return True
        if identity.proved:
            # The one that is taken over is still counted.
            return await self.desk.take(identity.owner, identity.connections + replaces)
        if self._unproved[identity.owner] >= UNPROVED_PER_ADDRESS_MAX:
            return False
        self._unproved[identity.owner] += 1
        return True

    def leave(self, identity: Identity | None) -> None:
        """A stream that was counted for the identity is over, or counted for another."""
        if identity is None or identity.connections is None:
            return
        if identity.proved:
            self.desk.release(identity.owner)
            return
        self._unproved[identity.owner] -= 1
        if not self._unproved[identity.owner]:
            del self._unproved[identity.owner]
