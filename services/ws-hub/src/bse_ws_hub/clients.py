"""The edge around the pure hub that all doors share: who is connected, and how he is written to."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import structlog

from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_ws_hub.admission.admission import Admission
from bse_ws_hub.admission.doorkeeper import Doorkeeper
from bse_ws_hub.admission.expiry import Expiry
from bse_ws_hub.encodings import messages
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.hub.budget import Budget
from bse_ws_hub.hub.commands import BadCommand
from bse_ws_hub.hub.disconnects import (
    GOING_AWAY,
    REVOKED,
    TAKEN_OVER,
    TOKEN_EXPIRED,
    Disconnect,
)
from bse_ws_hub.hub.heartbeat_wheel import HeartbeatWheel
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.metrics import HubMetrics
from bse_ws_hub.settings import HubSettings
from bse_ws_hub.sockets.outlets import Outlet
from bse_ws_hub.status_messages import heartbeat, welcome


log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Client:
    """A session with what the edge knows of it.

    `lagging_since_ms`: since when its buffer has been full, None while it reads. `slowed_until_ms`: it read so
    slowly that its rate is lowered until then. `number` counts the clients of this process. `chose`: it has changed
    its set itself.
    """

    session: Session
    outlet: Outlet
    budget: Budget
    admission: Admission
    bad_messages: int = 0
    lagging_since_ms: float | None = None
    fullest: float = 0.0
    slowed_until_ms: float | None = None
    asked_interval_ms: int = 0
    number: int = 0
    heartbeat_interval_ms: int = 0
    wants_digest: bool = False
    chose: bool = False


@dataclass(slots=True)
class Clients:
    """All clients of this process."""

    hub: Hub
    follower: QuoteFollower
    settings: HubSettings
    metrics: HubMetrics
    clock: Clock
    doorkeeper: Doorkeeper
    expiry: Expiry = field(default_factory=Expiry)
    all: dict[str, Client] = field(default_factory=dict)
    unread: set[Client] = field(default_factory=set)
    heartbeats: HeartbeatWheel[Client] = field(default_factory=HeartbeatWheel)
    draining: bool = False
    by_client_id: dict[str, dict[str, Client]] = field(default_factory=dict)
    on_gone: Callable[[Session], None] = lambda _: None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.doorkeeper.on_taken_over = self._taken_over

    @property
    def full(self) -> bool:
        """Whether one more client is too many."""
        return len(self.all) >= self.settings.connections_max

    def origin_allowed(self, origin: str | None) -> bool:
        """Whether a page of this origin may connect. Who sends none is no browser."""
        allowed = self.settings.origins
        return origin is None or "*" in allowed or origin in allowed

    def connect(
        self, session: Session, outlet: Outlet, admission: Admission
    ) -> Client | None:
        """A door has accepted a connection. None: it ended at once, for what happened meanwhile."""
        session.id = admission.stream
        identity = admission.identity
        per_s = identity.commands_per_s
        budget = Budget(per_s, per_s * 2, self.clock.monotonic_ms())
        client = Client(session, outlet, budget, admission, number=next(self._numbers))
        outlet.on_unread = partial(self.unread.add, client)
        outlet.on_rewired = session.rewired
        self.all[session.id] = client
        self.hub.join(session)
        self.beat_each(client, self.settings.heartbeat_interval_ms)
        self.metrics.connections.labels(session.codec.door).inc()
        self.identified(client)
        self.send(client, welcome(session, identity, self.follower, self.settings))
        self.send(client, heartbeat(self.follower))
        if admission.taken_over:
            self.close(client, TAKEN_OVER)
        else:
            self.check_proof(client)
        return client if session.id in self.all else None

    def beat_each(self, client: Client, interval_ms: int) -> None:
        """The client gets a heartbeat each `interval_ms` from now on; clients take turns."""
        client.heartbeat_interval_ms = interval_ms
        slots = self.heartbeats.slots_of(interval_ms)
        self.heartbeats.put(client, 1 + client.number % slots)

    def identified(self, client: Client) -> None:
        """Take what the admission says of the client now: its limits, its client id, the end of its proof."""
        admission, session = client.admission, client.session
        identity = admission.identity
        client.budget.per_s = identity.commands_per_s
        session.symbols_max = identity.symbols
        session.client_id = admission.client_id
        if session.client_id:
            same = self.by_client_id.setdefault(session.client_id, {})
            same[session.id] = client
        self.expiry.follow(session.id, identity, self.clock.monotonic_ms())

    def disconnected(self, client: Client, reason: str) -> None:
        """The connection is gone."""
        session = client.session
        if self.all.pop(session.id, None) is None:
            return
        self.hub.leave(session)
        self.unread.discard(client)
        self.heartbeats.remove(client)
        client.outlet.on_unread = _nothing
        self.expiry.forget(session.id)
        same = self.by_client_id.get(session.client_id)
        if same is not None:
            same.pop(session.id, None)
            if not same:
                del self.by_client_id[session.client_id]
        self.doorkeeper.leave(client.admission)
        self.on_gone(session)
        self.metrics.connections.labels(session.codec.door).dec()
        self.metrics.closes.labels(reason).inc()

    def send(self, client: Client, message: Message) -> None:
        """Send a rare message."""
        self.send_payload(client, client.session.codec.message(message))

    def send_payload(self, client: Client, payload: bytes) -> None:
        """Send what is encoded."""
        client.outlet.write(client.session.codec.wire(payload))

    def lag(self, client: Client) -> None:
        """The client does not keep up: what it misses is merged, and it is cut if it stays so."""
        client.lagging_since_ms = self.clock.monotonic_ms()
        client.fullest = client.outlet.backlog()
        self.hub.set_apart(client.session)

    def refuse(self, client: Client, error: BadCommand) -> bool:
        """Answer a bad message; False when this client has sent too many of them."""
        self.send(client, messages.error(error.reason, str(error), error.command_id))
        return self.count_bad(client, error)

    def count_bad(self, client: Client, error: BadCommand) -> bool:
        """A bad message was answered; False when this client has sent too many of them."""
        client.bad_messages += 1
        self.metrics.bad_messages.labels(error.reason).inc()
        if client.bad_messages == 1:  # one line a bad connection, not one a message
            log.info(
                "client.bad_message", session=client.session.id, error=str(error)[:200]
            )
        return client.bad_messages < self.settings.bad_messages_max

    def close(self, client: Client, why: Disconnect, after_ms: int = 0) -> None:
        """Say goodbye, then close."""
        self.send(
            client,
            messages.goodbye(why.reason, reconnect=why.reconnect, after_ms=after_ms),
        )
        client.outlet.close(why.code, why.reason)
        self.disconnected(client, why.reason)

    def check_proof(self, client: Client) -> None:
        """Close the client if what it proved holds no more."""
        principal = client.admission.identity.principal
        if self.doorkeeper.proofs.hold(principal):
            return
        end_ms = principal.expires_at_ms
        is_late = end_ms is not None and self.clock.wall_ms() >= end_ms
        self.close(client, TOKEN_EXPIRED if is_late else REVOKED)

    def drain(self) -> None:
        """Take nobody any more, and send all away, their return spread over a while."""
        self.draining = True
        spread_ms = self.settings.drain_spread_s * 1000
        for client in list(self.all.values()):
            self.close(client, GOING_AWAY, int(random.random() * spread_ms))  # noqa: S311 - jitter

    def _taken_over(self, admission: Admission) -> None:
        """A newer stream of the same identity has the session name now."""
        self.metrics.takeovers.inc()
        client = self.all.get(admission.stream)
        if client is not None:
            self.close(client, TAKEN_OVER)


def _nothing() -> None:
    """Of a client that is gone."""
