"""Carries out operators' drains: this hub is not ready, its clients go elsewhere, and it takes them again afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.wire.records import ALL_HUBS, DrainRecord
from bse_ws_hub.clients import Clients


log = structlog.get_logger()

LOOK_INTERVAL_S = 1.0


@dataclass(slots=True)
class DrainObedience:
    """`step` is a supervised loop. While the store is away the last order stands until its own end."""

    controls: HubControls
    instance: str
    now_ms: Callable[[], int]
    clients: Clients
    send_away: Callable[[], Awaitable[None]]
    """What is done at shutdown: all clients told to go, and gone."""
    is_ending: Callable[[], bool]
    """Whether the process itself goes: then nobody comes back, whatever is ordered."""
    order: DrainRecord | None = None
    _known: dict[str, DrainRecord] = field(default_factory=dict)

    async def step(self) -> None:
        """Read the orders and do what they say."""
        try:
            self._known = await self.controls.in_force(self.now_ms())
        finally:
            await self._obey()

    def reasons(self) -> list[str]:
        """Why this hub is not ready."""
        return [f"drained by {self.order.by}"] if self.order else []

    async def _obey(self) -> None:
        now_ms = self.now_ms()
        orders = (self._known.get(name) for name in (self.instance, ALL_HUBS))
        standing = [each for each in orders if each and each.ends_at_ms > now_ms]
        before = self.order
        self.order = standing[0] if standing else None
        if self.order and not before:
            log.warning("hub.drained", by=self.order.by, why=self.order.why)
            await self.send_away()
        elif before and not self.order and not self.is_ending():
            self.clients.draining = False
            log.warning("hub.takes_clients_again")
