"""Ends streams whose proof ran out, was revoked, or never came; warns before."""

from dataclasses import dataclass

from bse_shared.access.revocations import Revocation
from bse_ws_hub.clients import Clients
from bse_ws_hub.hub.disconnects import NOT_AUTHENTICATED, REVOKED, TOKEN_EXPIRED


LOOK_INTERVAL_S = 0.2
ALL_INTERVAL_MS = 5_000.0
"""How often all proofs are looked at: a signing key may have been withdrawn."""


@dataclass(slots=True)
class IdentityWatch:
    """`step` is a supervised loop, `revoked` is told by the follower of revocations."""

    clients: Clients
    _all_due_ms: float = 0.0

    async def step(self) -> None:
        """Carry out what is due."""
        clients = self.clients
        now_ms, wall_ms = clients.clock.monotonic_ms(), clients.clock.wall_ms()
        due = clients.expiry.due(now_ms, wall_ms)
        for stream in due.unproved:
            clients.close(clients.all[stream], NOT_AUTHENTICATED)
        for stream in due.expired:
            clients.close(clients.all[stream], TOKEN_EXPIRED)
        for stream in due.expiring:
            client = clients.all[stream]
            end_ms = client.admission.identity.principal.expires_at_ms
            clients.send(
                client,
                {"type": "notice", "reason": "token_expiring", "expires_at_ms": end_ms},
            )
        if now_ms >= self._all_due_ms:
            self._all_due_ms = now_ms + ALL_INTERVAL_MS
            for client in list(clients.all.values()):
                clients.check_proof(client)
        clients.metrics.identities.set(clients.doorkeeper.desk.owners)

    def revoked(self, revocation: Revocation) -> None:
        """Close what it covers, at once."""
        for client in list(self.clients.all.values()):
            if revocation.covers(client.admission.identity.principal):
                self.clients.close(client, REVOKED)
