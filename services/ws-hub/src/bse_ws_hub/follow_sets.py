"""Takes stored subscription sets over to the live connections of their client: at the start, and when they change."""

import asyncio
from dataclasses import dataclass, field

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.wire.records import SubscriptionRecord
from bse_ws_hub.admission.admission import Admission
from bse_ws_hub.admission.refused import Refused
from bse_ws_hub.answers import Answers
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.messages import error


@dataclass(slots=True)
class SetFollower:
    """`changed` is called by the bus, `want` by the doors; `step` and `start_next` are supervised loops."""

    answers: Answers
    _changed: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    _starting: asyncio.Queue[Client] = field(default_factory=asyncio.Queue)

    @property
    def _clients(self) -> Clients:
        return self.answers.clients

    async def at_start(self, admission: Admission) -> SubscriptionRecord | None:
        """The set to start with, where it is known before the door opens."""
        if not admission.client_id or not self._clients.follower.ready:
            return None
        try:
            return await self.answers.sets.load(admission.client_id)
        except StoreUnavailable:
            return None

    def start(self, client: Client, record: SubscriptionRecord | None) -> None:
        """Start with the set; where it is not known, as soon as it can be read."""
        admission = client.admission
        if record is not None:
            self.answers.stored_set(client, record)
        if admission.client_id or (admission.unclaimed and admission.identity.proved):
            # Read (again): what was told of a change before the client was connected, was not told to him.
            self.want(client)

    def want(self, client: Client) -> None:
        """The client has named its client id, but not had its set."""
        self._starting.put_nowait(client)

    def changed(self, data: bytes) -> None:
        """A set was stored; only those of clients connected here matter."""
        client_id = data.decode(errors="replace")
        if client_id in self._clients.by_client_id:
            self._changed.put_nowait(client_id)

    async def step(self) -> None:
        """Apply the next changed set."""
        client_id = await self._changed.get()
        await self._clients.follower.readied.wait()
        record = await self.answers.sets.load(client_id)
        if record is None:
            return
        for client in list(self._clients.by_client_id.get(client_id, {}).values()):
            self.answers.stored_set(client, record)

    async def start_next(self) -> None:
        """Give the next client its first set. Raises StoreUnavailable; then it stays the next."""
        client = await self._starting.get()
        try:
            await self._clients.follower.readied.wait()
            await self._start(client)
        except StoreUnavailable:
            self._starting.put_nowait(client)
            raise

    async def _start(self, client: Client) -> None:
        admission = client.admission
        if admission.unclaimed:
            try:
                await self._clients.doorkeeper.claim(admission, admission.identity)
            except Refused:
                admission.unclaimed = ""
        if not admission.client_id:
            if not admission.left:
                why = "this client id belongs to somebody: prove who you are"
                self._clients.send(client, error("not_yours", why))
            return
        record = await self.answers.sets.load(admission.client_id)
        if admission.left:
            return
        is_late = not client.session.client_id
        self._clients.identified(client)
        if is_late and client.chose:
            self.answers.sets.changed(client.session)
        elif record is not None:
            self.answers.stored_set(client, record)
