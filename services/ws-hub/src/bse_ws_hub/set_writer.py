"""Stores what a client with a client id subscribes to, so that its return, or another connection, has the same set.

At most once a second a client, always the last state; what was not stored when a client leaves is stored at once.
"""

import asyncio
from dataclasses import dataclass, field

from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.wire.records import SubscriptionRecord
from bse_ws_hub.admission.deadlines import Deadlines
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.hub.stored_wants import stored_wants


INTERVAL_MS = 1000.0
LOOK_INTERVAL_S = 0.05
"""How often the owner's loop calls `step`."""


@dataclass(slots=True)
class SetWriter:
    """`step` is a supervised loop, every LOOK_INTERVAL_S."""

    subscriptions: Subscriptions
    follower: QuoteFollower
    clock: Clock
    _pending: dict[str, Session] = field(default_factory=dict)
    _due: Deadlines = field(default_factory=Deadlines)
    _not_before_ms: dict[str, float] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def changed(self, session: Session) -> None:
        """The client changed its set."""
        client_id = session.client_id
        if not client_id:
            return
        if client_id not in self._pending:
            now_ms = self.clock.monotonic_ms()
            at_ms = max(now_ms, self._not_before_ms.get(client_id, now_ms))
            self._due.set(client_id, at_ms)
        self._pending[client_id] = session

    def gone(self, session: Session) -> None:
        """The client left: what is pending is due."""
        if self._pending.get(session.client_id) is session:
            self._due.set(session.client_id, self.clock.monotonic_ms())

    def is_pending(self, client_id: str) -> bool:
        """Whether a newer set than the store's is about to be stored."""
        return client_id in self._pending

    async def load(self, client_id: str) -> SubscriptionRecord | None:
        """The set as it is stored, with nothing of ours on its way there. Raises StoreUnavailable."""
        async with self._lock:
            return await self.subscriptions.load(client_id)

    async def step(self) -> None:
        """Store what is due. Raises StoreUnavailable; then it is due again."""
        now_ms = self.clock.monotonic_ms()
        due = self._due.due(now_ms)
        for number, client_id in enumerate(due):
            try:
                await self._store(client_id)
            except StoreUnavailable:
                for late in due[number:]:
                    self._due.set(late, now_ms + INTERVAL_MS)
                raise
        if len(self._not_before_ms) > 2 * len(self._pending) + 1000:
            later = self._not_before_ms.items()
            self._not_before_ms = {c: at for c, at in later if at > now_ms}

    async def finish(self) -> None:
        """At the end of the process: store all that is pending. Raises StoreUnavailable."""
        for client_id in list(self._pending):
            await self._store(client_id)

    # Private.

    async def _store(self, client_id: str) -> None:
        async with self._lock:
            session = self._pending.pop(client_id, None)
            if session is None:
                return  # stored while we waited: at the end, the loop and `finish` do the same work
            self._not_before_ms[client_id] = self.clock.monotonic_ms() + INTERVAL_MS
            record = SubscriptionRecord(
                client_id=client_id,
                wants=stored_wants(session.wants),
                updated_at_ms=self.follower.now_ms(),
            )
            try:
                await self.subscriptions.save(record)
            except StoreUnavailable:
                self._pending.setdefault(client_id, session)
                raise
