"""The edge around the pure hub that both doors share: who connects, what he commands, what he is answered."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import structlog

from bse_shared.pacing.clock import Clock
from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.position import Position
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.wire.feed_view import feed_state, market_is_open
from bse_shared.wire.records import SubscriptionRecord
from bse_ws_hub.encodings import messages
from bse_ws_hub.encodings.messages import Message, Rejection
from bse_ws_hub.hub.budget import Budget
from bse_ws_hub.hub.commands import (
    BadCommand,
    Command,
    Heartbeat,
    Ping,
    Rate,
    Resume,
    Subscribe,
    Unsubscribe,
)
from bse_ws_hub.hub.disconnects import GOING_AWAY, Disconnect
from bse_ws_hub.hub.heartbeat_wheel import HeartbeatWheel
from bse_ws_hub.hub.hub import Hub, Session, unknown_symbol
from bse_ws_hub.hub.stored_wants import wants_of
from bse_ws_hub.hub.vector import held_at
from bse_ws_hub.hub.wants import (
    UnknownField,
    Want,
    described,
    interval_of,
    mask_of_fields,
)
from bse_ws_hub.metrics import HubMetrics
from bse_ws_hub.settings import HubSettings
from bse_ws_hub.sockets.outlets import Outlet


log = structlog.get_logger()

PROTOCOL = 1
TOO_MANY_COMMANDS = "too_many_commands"

HEARTBEAT_MIN_MS, HEARTBEAT_MAX_MS = 500, 5000
"""What may be asked for: a price may be shown as live for at most 7 s without one."""


@dataclass(slots=True, eq=False)
class Client:
    """A session with what the edge knows of it.

    `lagging_since_ms`: since when its buffer has been full, None while it reads. `slowed_until_ms`: it read so
    slowly that its rate is lowered until then. `number` counts the clients of this process.
    """

    session: Session
    outlet: Outlet
    budget: Budget
    bad_messages: int = 0
    lagging_since_ms: float | None = None
    fullest: float = 0.0
    slowed_until_ms: float | None = None
    asked_interval_ms: int = 0
    number: int = 0
    heartbeat_interval_ms: int = 0
    wants_digest: bool = False


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
    unread: set[Client] = field(default_factory=set)
    heartbeats: HeartbeatWheel[Client] = field(default_factory=HeartbeatWheel)
    draining: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def full(self) -> bool:
        """Whether one more client is too many."""
        return len(self.all) >= self.settings.connections_max

    def origin_allowed(self, origin: str | None) -> bool:
        """Whether a page of this origin may connect. Who sends none is no browser."""
        allowed = self.settings.origins
        return origin is None or "*" in allowed or origin in allowed

    def connect(self, session: Session, outlet: Outlet) -> Client:
        """A door has accepted a connection."""
        number = next(self._numbers)
        session.id = f"{self.name}.{number}"
        now_ms = self.clock.monotonic_ms()
        per_s = self.settings.commands_per_s
        interval_ms = self.settings.heartbeat_interval_ms
        client = Client(
            session,
            outlet,
            Budget(per_s, per_s * 2, now_ms),
            number=number,
            heartbeat_interval_ms=interval_ms,
        )
        outlet.on_unread = partial(self.unread.add, client)
        self.all[session.id] = client
        self.hub.join(session)
        self.heartbeats.put(client, 1 + number % self.heartbeats.slots_of(interval_ms))
        self.metrics.connections.labels(session.codec.door).inc()
        self.send(client, self._welcome(session))
        self.send(client, self.heartbeat())
        return client

    def disconnected(self, client: Client, reason: str) -> None:
        """The connection is gone."""
        if self.all.pop(client.session.id, None) is None:
            return
        self.hub.leave(client.session)
        self.unread.discard(client)
        self.heartbeats.remove(client)
        client.outlet.on_unread = _nothing
        self.metrics.connections.labels(client.session.codec.door).dec()
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

    def command(self, client: Client, command: Command) -> Message:
        """Carry out a command; the answer."""
        if not client.budget.spend(self.clock.monotonic_ms()):
            self.metrics.bad_messages.labels(TOO_MANY_COMMANDS).inc()
            return messages.error(
                TOO_MANY_COMMANDS,
                f"at most {self.settings.commands_per_s:g} commands a second;"
                " this one was not carried out",
                command.id,
            )
        if isinstance(command, Ping | Rate | Heartbeat):
            return self._small(client, command)
        if not self.follower.ready:
            return messages.error(
                "not_ready", "the hub has not read the market yet", command.id
            )
        try:
            return self._change_set(client, command)
        except UnknownField as wrong:
            return messages.error("unknown_field", str(wrong), command.id)
        except BadCommand as wrong:
            return messages.error(wrong.reason, str(wrong), command.id)

    def resume_at(
        self, client: Client, command: Subscribe, vector: list[Position]
    ) -> Message:
        """Subscribe for a client that was in step at `vector`. Raises UnknownField."""
        master, table = self.follower.instruments, self.follower.table
        positions = []
        unknown = []
        for symbol in command.symbols:
            found = master.select(symbol)
            positions += [(i.code, held_at(vector, i.code, table)) for i in found]
            if not found:
                unknown.append(unknown_symbol(symbol))
        answer = self._resume(client, positions, _want(command), command.id)
        answer["rejected"] += [rejection.as_dict() for rejection in unknown]
        return answer

    def stored_set(self, client: Client, record: SubscriptionRecord) -> None:
        """Take the set that was stored under the client's id."""
        wants = wants_of(record.wants, self.follower.instruments.by_code)
        if wants == client.session.wants:
            return
        self.hub.replace(client.session, wants)
        self.send(client, self._set_answer("subscribed", client, None, []))

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
                "age_ms": self.feed_age_ms(now_ms),
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

    def feed_age_ms(self, now_ms: int) -> int | None:
        """Since when the source has not confirmed the market; None if it never did."""
        confirmed_ms = self.follower.table.oldest_list_ms()
        return max(0, now_ms - confirmed_ms) if confirmed_ms else None

    # Private.

    def _change_set(
        self, client: Client, command: Subscribe | Resume | Unsubscribe
    ) -> Message:
        """Carry out a command that changes the set. Raises UnknownField."""
        master, session = self.follower.instruments, client.session
        if isinstance(command, Unsubscribe):
            rejected = self.hub.unsubscribe(session, command.symbols, master)
            return self._set_answer("unsubscribed", client, command.id, rejected)
        want = _want(command)
        if isinstance(command, Resume):
            positions = [(code, Position(e, s)) for code, e, s in command.positions]
            return self._resume(client, positions, want, command.id)
        rejected = self.hub.subscribe(session, command.symbols, want, master)
        return self._set_answer("subscribed", client, command.id, rejected)

    def _small(self, client: Client, command: Ping | Rate | Heartbeat) -> Message:
        """What changes no set."""
        if isinstance(command, Rate):
            return self._rate(client, command)
        if isinstance(command, Heartbeat):
            return self._heartbeat(client, command)
        now_ms = self.follower.now_ms()
        return {"type": "pong", "id": command.id, "server_time_ms": now_ms}

    def _rate(self, client: Client, command: Rate) -> Message:
        interval_ms = interval_of(command.max_hz)
        client.asked_interval_ms = interval_ms
        if client.slowed_until_ms is None:
            self.hub.limit(client.session, interval_ms)
        granted = 1000 / interval_ms if interval_ms else None
        return {
            "type": "rate",
            "id": command.id,
            "max_hz": granted and round(granted, 3),
        }

    def _heartbeat(self, client: Client, command: Heartbeat) -> Message:
        asked_ms = command.interval_ms or self.settings.heartbeat_interval_ms
        interval_ms = min(max(asked_ms, HEARTBEAT_MIN_MS), HEARTBEAT_MAX_MS)
        client.heartbeat_interval_ms = interval_ms
        client.wants_digest = command.digest
        slots = self.heartbeats.slots_of(interval_ms)
        self.heartbeats.put(client, 1 + client.number % slots)
        return {
            "type": "heartbeat_granted",
            "id": command.id,
            "interval_ms": interval_ms,
            "digest": command.digest,
        }

    def _resume(
        self,
        client: Client,
        positions: list[tuple[int, Position]],
        want: Want,
        command_id: object,
    ) -> Message:
        """What each scrip gets is decided here, by its position: just what it lacks, or an image."""
        master, table = self.follower.instruments, self.follower.table
        rejected = self.hub.resume(client.session, positions, want, master)
        resumed, reimaged = [], []
        for code, held in positions:
            image = table.get(code)
            if code not in client.session.wants:
                continue
            same = image is not None and image.position.epoch == held.epoch
            if same and image is not None and held <= image.position:
                resumed.append(code)
            else:
                reimaged.append(code)
        answer = self._set_answer("resumed", client, command_id, rejected)
        return {**answer, "resumed": resumed, "re_imaged": reimaged}

    def _live_for_ms(self, now_ms: int) -> int:
        # Before the store's clock is known its time is 0, and nothing would look old.
        ready = self.follower.ready
        return self.follower.table.live_for_ms(now_ms) if ready else 0

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
                    **described(want),
                }
                for code, want in client.session.wants.items()
                if code in known
            ],
            "rejected": [rejection.as_dict() for rejection in rejected],
        }


def _want(command: Subscribe | Resume) -> Want:
    """What the command asks for; names win over a mode. Raises UnknownField, BadCommand."""
    mask = (
        mask_of_fields(command.fields)
        if command.fields
        else MODE_MASKS[command.mode or Mode.QUOTE]
    )
    if command.every and command.max_hz is not None:
        raise BadCommand("bad_message", "every and max_hz exclude each other")
    return Want(mask, interval_of(command.max_hz), command.every)


def _nothing() -> None:
    """Of a client that is gone."""
