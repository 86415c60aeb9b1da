"""The flush tick: gather, decide in the pure hub, write to the sockets. Nobody waits for anybody."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from bse_shared.quotes.quote_table import Changes
from bse_shared.wire.feed_view import market_is_open
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.encodings.sse_codec import SSE
from bse_ws_hub.hub.burst import Burst
from bse_ws_hub.hub.disconnects import SLOW_CONSUMER
from bse_ws_hub.hub.fan_out import FanOut
from bse_ws_hub.hub.heartbeat_wheel import SLOT_MS
from bse_ws_hub.hub.now import Now
from bse_ws_hub.hub.rows import CAUGHT_UP, Delivery
from bse_ws_hub.hub.sessions import Receivers, Session
from bse_ws_hub.sockets.deliver import deliver
from bse_ws_hub.status_messages import feed_age_ms, heartbeat


log = structlog.get_logger()

QUALITY_INTERVAL_MS = 250

SLOWED_INTERVAL_MS = 1000
"""What a client that read too slowly gets: one update message a second."""


@dataclass(slots=True)
class Flusher:
    """Runs the ticks."""

    clients: Clients
    fan_out: FanOut
    qualities_due_ms: float = 0.0
    turned_at_ms: float = field(init=False)
    due_at_ms: float | None = None
    burst: Burst = field(default_factory=Burst)

    def __post_init__(self) -> None:
        """The wheel of heartbeats starts now."""
        self.turned_at_ms = self.clients.clock.monotonic_ms()

    def changed(self, changes: Changes) -> None:
        """The follower's table changed."""
        self.burst.changed(self.clients.clock.monotonic_ms())
        self.fan_out.changed(changes)

    async def step(self) -> None:
        """One tick."""
        started_ms = self.clients.clock.monotonic_ms()
        metrics = self.clients.metrics
        if self.due_at_ms is not None:
            lag_ms = max(0.0, started_ms - self.due_at_ms)
            metrics.loop_lag_seconds.observe(lag_ms / 1000)
        while hold_ms := self.burst.hold_ms(  # noqa: ASYNC110 - waits for time to pass
            self.clients.clock.monotonic_ms(), started_ms
        ):
            await asyncio.sleep(hold_ms / 1000)
        started_ms = self.clients.clock.monotonic_ms()
        now = self._now()
        self._look_at_unread()
        ready = self._look_at_apart(started_ms)
        sent = self._deliver(self.fan_out.tick(now, ready))
        if self.fan_out.received_at_ms:
            took_ms = self.clients.follower.now_ms() - self.fan_out.received_at_ms
            metrics.received_to_sent_seconds.observe(max(0, took_ms) / 1000)
        if started_ms >= self.qualities_due_ms:
            self.qualities_due_ms = started_ms + QUALITY_INTERVAL_MS
            sent |= self._deliver(self.fan_out.qualities(now))
        metrics.lost_steps.inc(self.fan_out.take_lost())
        metrics.conflated.inc(self.fan_out.take_conflated())
        if sent:
            ended_ms = self.clients.clock.monotonic_ms()
            metrics.flush_seconds.observe((ended_ms - started_ms) / 1000)
        self._heartbeats(started_ms)
        ended_ms = self.clients.clock.monotonic_ms()
        self.due_at_ms = ended_ms + self.clients.settings.flush_interval_ms

    async def look_after_clients(self) -> None:
        """Once a second: figures, and grace for those who keep up again."""
        clients, metrics = self.clients, self.clients.metrics
        metrics.subscriptions.set(clients.hub.subscriptions)
        metrics.groups.set(len(clients.hub.groups))
        now_ms = clients.clock.monotonic_ms()
        lagging = unread_bytes = 0
        for client in clients.all.values():
            lagging += client.lagging_since_ms is not None
            until_ms = client.slowed_until_ms
            if until_ms is not None and now_ms > until_ms:
                client.slowed_until_ms = None
                self._limit(client, client.asked_interval_ms, "keeps_up_again")
        for client in clients.unread:
            unread_bytes += client.outlet.unread_bytes()
        metrics.lagging.set(lagging)
        metrics.buffer_bytes.set(unread_bytes)
        age_ms = feed_age_ms(clients.follower, clients.follower.now_ms())
        metrics.feed_age_seconds.set(float("nan") if age_ms is None else age_ms / 1000)

    def _now(self) -> Now:
        follower = self.clients.follower
        now_ms = follower.now_ms()
        is_open = market_is_open(follower.feed, now_ms)
        published_ms = follower.table.published_at_ms
        return Now(now_ms, follower.instruments, is_open, published_ms)

    # Heartbeats.

    def _heartbeats(self, now_ms: float) -> None:
        """To those whose turn it is; made once a codec, but for clients with figures of their own."""
        slots = int((now_ms - self.turned_at_ms) // SLOT_MS)
        if not slots:
            return
        self.turned_at_ms += slots * SLOT_MS
        wheel = self.clients.heartbeats
        due = wheel.turn(slots)
        if not due:
            return
        common = heartbeat(self.clients.follower)
        placed = {**common, "event_id": self.fan_out.vector}
        alike: dict[tuple[str, bool], list[Session]] = {}
        for client in due:
            wheel.put(client, wheel.slots_of(client.heartbeat_interval_ms))
            session = client.session
            if client.lagging_since_ms is not None and client.outlet.backlog() >= 1:
                continue  # it would be read too late to be true: silence says more
            if session.conflated or client.wants_digest:
                self.clients.send(client, self._own_heartbeat(client, common))
                continue
            knows_place = session.codec is SSE and session.in_step
            alike.setdefault((session.codec.name, knows_place), []).append(session)
        for (_, knows_place), sessions in alike.items():
            codec = sessions[0].codec
            wire = codec.wire(codec.message(placed if knows_place else common))
            sends = [session.outlet.send for session in sessions]
            deliver([(Receivers(sessions, sends), wire, 0)])

    def _own_heartbeat(self, client: Client, common: Message) -> Message:
        session = client.session
        found = {**common, "conflated": session.conflated}
        if client.wants_digest and (digest := self.fan_out.digest(session)) is not None:
            found["digest"] = digest
        if session.codec is SSE and session.in_step:
            found["event_id"] = self.fan_out.vector
        return found

    # Slow readers.

    def _look_at_unread(self) -> None:
        """Whoever has left much unread lags from now on: what he misses is merged."""
        for client in list(self.clients.unread):
            backlog = client.outlet.backlog()
            if not backlog:
                self.clients.unread.discard(client)
            elif backlog > CAUGHT_UP and client.lagging_since_ms is None:
                self.clients.lag(client)

    def _look_at_apart(self, now_ms: float) -> set[Session]:
        """The sessions apart that may be sent to now; those that lag too long are cut."""
        ready = set()
        for session in list(self.clients.hub.apart.values()):
            client = self.clients.all.get(session.id)
            if client is None:
                continue
            backlog = client.outlet.backlog()
            if backlog <= CAUGHT_UP:
                self._caught_up(client, now_ms)
                ready.add(session)
            elif client.lagging_since_ms is None:
                self.clients.lag(client)
            elif self._too_slow(client, backlog, now_ms):
                self.clients.close(client, SLOW_CONSUMER)
        return ready

    def _too_slow(self, client: Client, backlog: float, now_ms: float) -> bool:
        """One that reads nothing is cut later than one that drips: the latter's lag can only grow."""
        settings = self.clients.settings
        lag_ms = now_ms - (client.lagging_since_ms or now_ms)
        drips = backlog < client.fullest
        client.fullest = max(client.fullest, backlog)
        return lag_ms > (settings.drip_cut_s if drips else settings.slow_cut_s) * 1000

    def _caught_up(self, client: Client, now_ms: float) -> None:
        """It reads again. If it had lagged for long, it gets less from now on, and is told."""
        since_ms, client.lagging_since_ms = client.lagging_since_ms, None
        settings = self.clients.settings
        if since_ms is None or now_ms - since_ms < settings.slow_notice_s * 1000:
            return
        if client.slowed_until_ms is None:
            self._limit(client, SLOWED_INTERVAL_MS, "slow_reader")
        client.slowed_until_ms = now_ms + settings.slowed_for_s * 1000

    def _limit(self, client: Client, interval_ms: int, reason: str) -> None:
        interval_ms = max(interval_ms, client.asked_interval_ms)
        self.clients.hub.limit(client.session, interval_ms)
        hz = round(1000 / interval_ms, 3) if interval_ms else None
        conflated = client.session.conflated
        self.clients.send(
            client,
            {"type": "notice", "reason": reason, "max_hz": hz, "conflated": conflated},
        )

    # Writing.

    def _deliver(self, deliveries: Iterable[Delivery]) -> bool:
        """Write all of them; whether there was anything."""
        sent = deliver(deliveries)
        if not sent.frames:
            return False
        metrics = self.clients.metrics
        metrics.deliveries.inc(sent.frames)
        metrics.symbol_updates.inc(sent.quotes)
        metrics.sent_bytes.inc(sent.bytes)
        return True
