"""Takes changed subscription sets (`POST /api/subscribe`) over to the live connections of their client."""

import asyncio
from dataclasses import dataclass, field

from bse_shared.redis_edge.instances import Subscriptions
from bse_ws_hub.clients import Clients


@dataclass(slots=True)
class SetFollower:
    """`changed` is called by the bus, `step` is a supervised loop."""

    clients: Clients
    subscriptions: Subscriptions
    _changed: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def changed(self, data: bytes) -> None:
        """A set was stored; only those of clients connected here matter."""
        client_id = data.decode(errors="replace")
        if any(c.session.client_id == client_id for c in self.clients.all.values()):
            self._changed.put_nowait(client_id)

    async def step(self) -> None:
        """Apply the next changed set."""
        client_id = await self._changed.get()
        await self.clients.follower.readied.wait()
        record = await self.subscriptions.load(client_id)
        if record is None:
            return
        for client in list(self.clients.all.values()):
            if client.session.client_id == client_id:
                self.clients.stored_set(client, record)
