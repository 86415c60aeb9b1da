"""The flush tick: gather, decide in the pure hub, write to the sockets. Nobody waits for anybody."""

from collections.abc import Iterable
from dataclasses import dataclass

from bse_shared.wire.feed_view import market_is_open
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.sse_codec import SSE
from bse_ws_hub.hub.disconnects import SLOW_CONSUMER
from bse_ws_hub.hub.fan_out import Delivery, FanOut, Now
from bse_ws_hub.hub.hub import Session


CAUGHT_UP = 0.25
"""A lagging client gets its merged updates when its buffer is this empty."""

QUALITY_INTERVAL_MS = 250

SLOWED_INTERVAL_MS = 1000
"""What a client that read too slowly gets: one update message a second."""


@dataclass(slots=True)
class Flusher:
    """Runs the ticks."""

    clients: Clients
    fan_out: FanOut
    qualities_due_ms: float = 0.0

    async def step(self) -> None:
        """One tick."""
        started_ms = self.clients.clock.monotonic_ms()
        now = self._now()
        ready = self._look_at_apart(started_ms)
        deliveries = self.fan_out.tick(now, ready)
        if started_ms >= self.qualities_due_ms:
            self.qualities_due_ms = started_ms + QUALITY_INTERVAL_MS
            deliveries += self.fan_out.qualities(now)
        if deliveries:
            self._deliver(deliveries)
            ended_ms = self.clients.clock.monotonic_ms()
            self.clients.metrics.flush_seconds.observe((ended_ms - started_ms) / 1000)

    async def heartbeats(self) -> None:
        """The heartbeat to everybody: packed once a codec, but for clients with figures of their own."""
        shared: dict[tuple[str, bool], object] = {}
        common = self.clients.heartbeat()
        placed = {**common, "event_id": self.fan_out.vector}
        for client in list(self.clients.all.values()):
            session = client.session
            if client.lagging_since_ms is not None and client.outlet.backlog() >= 1:
                continue  # it would be read too late to be true: silence says more
            if session.conflated:
                self.clients.send(client, self.clients.heartbeat(client))
                continue
            knows_place = session.codec is SSE and session.in_step
            key = (session.codec.name, knows_place)
            prepared = shared.get(key)
            if prepared is None:
                message = placed if knows_place else common
                prepared = client.outlet.prepare(session.codec.message(message))
                shared[key] = prepared
            self.clients.write(client, prepared)
        metrics = self.clients.metrics
        metrics.subscriptions.set(self.clients.hub.subscriptions)
        metrics.lagging.set(
            sum(c.lagging_since_ms is not None for c in self.clients.all.values())
        )
        self._forgive()

    def _now(self) -> Now:
        follower = self.clients.follower
        now_ms = follower.now_ms()
        return Now(now_ms, follower.instruments, market_is_open(follower.feed, now_ms))

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

    def _forgive(self) -> None:
        """Clients that have kept up for a while get back the rate that they asked for."""
        now_ms = self.clients.clock.monotonic_ms()
        for client in self.clients.all.values():
            until_ms = client.slowed_until_ms
            if until_ms is not None and now_ms > until_ms:
                client.slowed_until_ms = None
                self._limit(client, client.asked_interval_ms, "keeps_up_again")

    def _limit(self, client: Client, interval_ms: int, reason: str) -> None:
        interval_ms = max(interval_ms, client.asked_interval_ms)
        self.clients.hub.limit(client.session, interval_ms)
        hz = round(1000 / interval_ms, 3) if interval_ms else None
        conflated = client.session.conflated
        self.clients.send(
            client,
            {"type": "notice", "reason": reason, "max_hz": hz, "conflated": conflated},
        )

    def _deliver(self, deliveries: Iterable[Delivery]) -> None:
        metrics = self.clients.metrics
        frames = rows = size = 0
        for sessions, payload, quotes, received_at_ms in deliveries:
            receivers = list(sessions)
            if not receivers:
                continue
            prepared = receivers[0].outlet.prepare(payload)
            for session in receivers:
                session.outlet.write(prepared)
                if session.outlet.full:
                    self._lag(session)
            if received_at_ms:
                took_ms = self.clients.follower.now_ms() - received_at_ms
                metrics.received_to_sent_seconds.observe(took_ms / 1000)
            frames += len(receivers)
            rows += quotes * len(receivers)
            size += len(payload) * len(receivers)
        metrics.deliveries.inc(frames)
        metrics.symbol_updates.inc(rows)
        metrics.sent_bytes.inc(size)

    def _lag(self, session: Session) -> None:
        client = self.clients.all.get(session.id)
        if client is not None and client.lagging_since_ms is None:
            self.clients.lag(client)
