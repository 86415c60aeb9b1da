"""Puts together what stands at the doors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bse_shared.access.tokens import TokenRules
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.stream_leases import StreamLeases
from bse_shared.service.loops import Loop
from bse_ws_hub.admission.arrivals import Arrivals
from bse_ws_hub.admission.doorkeeper import Doorkeeper
from bse_ws_hub.admission.identity import Ceiling
from bse_ws_hub.admission.lease_desk import RENEW_INTERVAL_S, LeaseDesk
from bse_ws_hub.admission.proofs import Proofs
from bse_ws_hub.admission.refused import Refused
from bse_ws_hub.admission.takeovers import Takeovers
from bse_ws_hub.metrics import HubMetrics
from bse_ws_hub.settings import WsHubSettings


@dataclass(frozen=True, slots=True)
class DoorParts:
    """The doorkeeper and what it follows."""

    keeper: Doorkeeper
    access: AccessFollower

    def loops(self) -> Iterator[Loop]:
        """What must run beside."""
        keeper = self.keeper
        takeovers = keeper.takeovers
        yield Loop("follow access", self.access.reread)
        yield Loop("lease streams", keeper.desk.step, silence_max_s=None)
        yield Loop("renew leases", keeper.desk.renew, RENEW_INTERVAL_S)
        yield Loop("renew session names", takeovers.renew, RENEW_INTERVAL_S)
        yield Loop("release session names", takeovers.step, silence_max_s=None)


def put_together(
    leases: StreamLeases,
    store: AccessStore,
    settings: WsHubSettings,
    clock: Clock,
    metrics: HubMetrics,
    store_now_ms: Callable[[], int],
) -> DoorParts:
    """The doorkeeper of this process."""
    auth, hub = settings.auth, settings.hub
    access = AccessFollower(store, clock, TokenRules(auth.issuer, auth.audience))

    def count(refused: Refused) -> None:
        metrics.refused.labels(refused.why.reason, refused.detail).inc()

    keeper = Doorkeeper(
        mode=auth.effective_mode,
        name=leases.hub,
        ceiling=Ceiling(hub.symbols_max, hub.commands_per_s),
        proofs=Proofs(access, store, clock, auth.failures_per_minute),
        store=store,
        desk=LeaseDesk(leases),
        takeovers=Takeovers(leases, store_now_ms),
        arrivals=Arrivals(hub.arrivals_per_s),
        clock=clock,
        on_refused=count,
    )
    return DoorParts(keeper, access)
