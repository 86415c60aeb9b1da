"""A stored set, and whose client id it is, outlive their last change by a day; while somebody is connected they stay."""

from dataclasses import dataclass, field

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_ws_hub.clients import Clients
from bse_ws_hub.hub.rounds import Rounds
from bse_ws_hub.set_writer import SetWriter


STEP_INTERVAL_S = 1.0
ROUND_STEPS = 3600
"""An hour: a store that is away for most of a day does no harm."""


@dataclass(slots=True)
class SetKeeper:
    """`step` is a supervised loop, every STEP_INTERVAL_S."""

    clients: Clients
    subscriptions: Subscriptions
    writer: SetWriter
    _rounds: Rounds = field(default_factory=lambda: Rounds(ROUND_STEPS))

    async def step(self) -> None:
        """Keep the sets whose turn it is; store again what the store has lost. Raises StoreUnavailable."""
        here = self.clients.by_client_id
        owners = {
            client_id: self._owner(client_id)
            for client_id in self._rounds.turn(here)
            if client_id in here
        }
        if not owners:
            return
        try:
            lost = await self.subscriptions.keep(owners)
        except StoreUnavailable:
            self._rounds.again(owners)
            raise
        for client_id in lost:
            self._store_again(client_id)

    # Private.

    def _owner(self, client_id: str) -> str | None:
        for client in self.clients.by_client_id[client_id].values():
            principal = client.admission.identity.principal
            if not principal.is_anonymous:
                return principal.sub
        return None

    def _store_again(self, client_id: str) -> None:
        for client in self.clients.by_client_id.get(client_id, {}).values():
            if client.session.wants:
                self.writer.changed(client.session)
                return
