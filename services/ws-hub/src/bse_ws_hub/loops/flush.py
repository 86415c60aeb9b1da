"""The flush tick: gather, decide in the pure hub, write to the sockets. Nobody waits for anybody."""

from collections.abc import Iterable
from dataclasses import dataclass

from bse_shared.wire.feed_view import market_is_open
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.hub.disconnects import SLOW_CONSUMER
from bse_ws_hub.hub.fan_out import Delivery, FanOut, Now
from bse_ws_hub.hub.hub import Session


CAUGHT_UP = 0.25
"""A lagging client gets its merged updates when its buffer is this empty."""

QUALITY_INTERVAL_MS = 250


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
        ready = self._look_at_lagging(started_ms)
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
        shared: dict[str, object] = {}
        common = self.clients.heartbeat()
        for client in list(self.clients.all.values()):
            session = client.session
            if session.conflated:
                self.clients.send(client, self.clients.heartbeat(client))
                continue
            prepared = shared.get(session.codec.name)
            if prepared is None:
                prepared = client.outlet.prepare(session.codec.message(common))
                shared[session.codec.name] = prepared
            client.outlet.write(prepared)
        metrics = self.clients.metrics
        metrics.subscriptions.set(self.clients.hub.subscriptions)
        metrics.lagging.set(sum(c.session.lagging for c in self.clients.all.values()))

    def _now(self) -> Now:
        follower = self.clients.follower
        now_ms = follower.now_ms()
        return Now(now_ms, follower.instruments, market_is_open(follower.feed, now_ms))

    def _look_at_lagging(self, now_ms: float) -> set[Session]:
        ready = set()
        for client in list(self.clients.all.values()):
            if not client.session.lagging:
                continue
            if client.outlet.backlog() <= CAUGHT_UP:
                ready.add(client.session)
            elif self._too_slow(client, now_ms):
                self.clients.close(client, SLOW_CONSUMER)
        return ready

    def _too_slow(self, client: Client, now_ms: float) -> bool:
        lag_ms = now_ms - client.lagging_since_ms
        return lag_ms > self.clients.settings.slow_cut_s * 1000

    def _deliver(self, deliveries: Iterable[Delivery]) -> None:
        metrics = self.clients.metrics
        frames = rows = size = 0
        for sessions, payload, quotes in deliveries:
            receivers = list(sessions)
            if not receivers:
                continue
            prepared = receivers[0].outlet.prepare(payload)
            for session in receivers:
                session.outlet.write(prepared)
                if not session.lagging and session.outlet.backlog() >= 1:
                    self._lag(session)
            frames += len(receivers)
            rows += quotes * len(receivers)
            size += len(payload) * len(receivers)
        metrics.deliveries.inc(frames)
        metrics.symbol_updates.inc(rows)
        metrics.sent_bytes.inc(size)

    def _lag(self, session: Session) -> None:
        self.clients.hub.lag(session)
        client = self.clients.all.get(session.id)
        if client is not None:
            client.lagging_since_ms = self.clients.clock.monotonic_ms()
