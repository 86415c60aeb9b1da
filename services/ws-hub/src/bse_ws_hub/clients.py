"""The edge around the pure hub that both doors share: who connects, what he commands, what he is answered."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import structlog

from bse_shared.pacing.clock import Clock
from bse_shared.quotes.modes import Mode
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.wire.feed_view import feed_state, market_is_open
from bse_shared.wire.records import SubscriptionRecord
from bse_ws_hub.encodings import messages
from bse_ws_hub.encodings.messages import Message, Rejection
from bse_ws_hub.hub.commands import BadCommand, Command, Ping, Subscribe
from bse_ws_hub.hub.disconnects import GOING_AWAY, Disconnect
from bse_ws_hub.hub.hub import Hub, Session
from bse_ws_hub.metrics import HubMetrics
from bse_ws_hub.settings import HubSettings
from bse_ws_hub.sockets.outlets import Outlet


log = structlog.get_logger()

PROTOCOL = 1


@dataclass(slots=True)
class Budget:
    """A client's allowance of commands: a token bucket."""

    per_s: float
    tokens: float
    at_ms: float

    def spend(self, now_ms: float) -> bool:
        """Whether one more command is allowed now."""
        earned = (now_ms - self.at_ms) * self.per_s / 1000
        self.tokens = min(self.per_s * 2, self.tokens + earned)
        self.at_ms = now_ms
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class Client:
    """A session with what the edge knows of it."""

    session: Session
    outlet: Outlet
    budget: Budget
    bad_messages: int = 0
    lagging_since_ms: float = 0.0


@dataclass(slots=True)
class Clients:
    """All clients of this process."""

    hub: Hub
    follower: QuoteFollower
    settings: HubSettings
    metrics: HubMetrics
    clock: Clock
    name: str
    all: dict[str, Client] = field(default_factory=dict)
    draining: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def full(self) -> bool:
        """Whether one more client is too many."""
        return len(self.all) >= self.settings.connections_max

    def connect(self, session: Session, outlet: Outlet) -> Client:
        """A door has accepted a connection."""
        session.id = f"{self.name}.{next(self._numbers)}"
        now_ms = self.clock.monotonic_ms()
        per_s = self.settings.commands_per_s
        client = Client(session, outlet, Budget(per_s, per_s * 2, now_ms))
        self.all[session.id] = client
        self.hub.join(session)
        self.metrics.connections.labels(session.codec.name).inc()
        self.send(client, self._welcome(session))
        self.send(client, self.heartbeat())
        return client

    def disconnected(self, client: Client, reason: str) -> None:
        """The connection is gone."""
        if self.all.pop(client.session.id, None) is None:
            return
        self.hub.leave(client.session)
        self.metrics.connections.labels(client.session.codec.name).dec()
        self.metrics.closes.labels(reason).inc()

    def send(self, client: Client, message: Message) -> None:
        """Send a rare message."""
        payload = client.session.codec.message(message)
        client.outlet.write(client.outlet.prepare(payload))

    def command(self, client: Client, command: Command) -> Message:
        """Carry out a command; the answer."""
        if not client.budget.spend(self.clock.monotonic_ms()):
            self.metrics.bad_messages.labels("too_many_commands").inc()
            return messages.error(
                "too_many_commands",
                f"at most {self.settings.commands_per_s:g} commands a second;"
                " this one was not carried out",
                command.id,
            )
        if isinstance(command, Ping):
            return {
                "type": "pong",
                "id": command.id,
                "server_time_ms": self.follower.now_ms(),
            }
        if not self.follower.ready:
            return messages.error(
                "not_ready", "the hub has not read the market yet", command.id
            )
        master, session = self.follower.instruments, client.session
        if isinstance(command, Subscribe):
            rejected = self.hub.subscribe(
                session, command.symbols, command.mode, master
            )
            return self._set_answer("subscribed", client, command.id, rejected)
        rejected = self.hub.unsubscribe(session, command.symbols, master)
        return self._set_answer("unsubscribed", client, command.id, rejected)

    def stored_set(self, client: Client, record: SubscriptionRecord) -> None:
        """Take the set that was stored under the client's id."""
        known = self.follower.instruments.by_code
        mode = Mode(record.mode)
        wants = {code: mode for code in record.codes if code in known}
        self.hub.replace(client.session, wants)
        self.send(client, self._set_answer("subscribed", client, None, []))

    def refuse(self, client: Client, error: BadCommand) -> bool:
        """Answer a bad message; False when this client has sent too many of them."""
        client.bad_messages += 1
        self.metrics.bad_messages.labels(error.reason).inc()
        if client.bad_messages == 1:  # one line a bad connection, not one a message
            log.info(
                "client.bad_message", session=client.session.id, error=str(error)[:200]
            )
        self.send(client, messages.error(error.reason, str(error), error.command_id))
        return client.bad_messages < self.settings.bad_messages_max

    def close(self, client: Client, why: Disconnect, after_ms: int = 0) -> None:
        """Say goodbye, then close."""
        self.send(
            client,
            messages.goodbye(why.reason, reconnect=why.reconnect, after_ms=after_ms),
        )
        client.outlet.close(why.code, why.reason)
        self.disconnected(client, why.reason)

    async def drain(self) -> None:
        """At shutdown: send what is pending, and spread the clients' return."""
        self.draining = True
        spread_ms = self.settings.drain_spread_s * 1000
        for client in list(self.all.values()):
            self.close(client, GOING_AWAY, int(random.random() * spread_ms))  # noqa: S311 - jitter

    def heartbeat(self, client: Client | None = None) -> Message:
        """The heartbeat, with the client's own count of merged updates if it has one."""
        now_ms = self.follower.now_ms()
        feed = self.follower.feed
        found: Message = {
            "type": "heartbeat",
            "server_time_ms": now_ms,
            "live_for_ms": self._live_for_ms(now_ms),
            "feed": {
                "state": feed_state(feed, now_ms),
                "source": feed.source if feed else None,
                "age_ms": _age_ms(self.follower, now_ms),
            },
            "session": {
                "phase": feed.session.phase if feed else "unknown",
                "is_open": market_is_open(feed, now_ms),
                "reason": feed.session.reason if feed else "no fetcher was heard yet",
                "trading_day": feed.session.trading_day if feed else None,
                "next_change_at_ms": feed.session.next_change_at_ms if feed else None,
            },
            "conflated": client.session.conflated if client else 0,
        }
        return found

    # Private.

    def _live_for_ms(self, now_ms: int) -> int:
        return self.follower.table.live_for_ms(now_ms)

    def _welcome(self, session: Session) -> Message:
        return {
            "type": "welcome",
            "protocol": PROTOCOL,
            "session": session.id,
            "server_time_ms": self.follower.now_ms(),
            "heartbeat_interval_ms": self.settings.heartbeat_interval_ms,
            "limits": {
                "symbols": self.settings.symbols_max,
                "message_bytes": self.settings.message_bytes_max,
            },
        }

    def _set_answer(
        self, kind: str, client: Client, command_id: object, rejected: list[Rejection]
    ) -> Message:
        known = self.follower.instruments.by_code
        return {
            "type": kind,
            "id": command_id,
            "symbols": [
                {
                    "symbol": known[code].symbol,
                    "code": code,
                    "isin": known[code].isin,
                    "mode": str(mode),
                }
                for code, mode in client.session.wants.items()
                if code in known
            ],
            "rejected": [rejection.as_dict() for rejection in rejected],
        }


def _age_ms(follower: QuoteFollower, now_ms: int) -> int | None:
    confirmed_ms = follower.table.oldest_list_ms()
    return max(0, now_ms - confirmed_ms) if confirmed_ms else None
