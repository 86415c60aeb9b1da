"""What a client's commands do, and what they are answered."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.wire.records import SubscriptionRecord
from bse_ws_hub.admission.asked import asked_in_auth
from bse_ws_hub.admission.refused import Refused, Why
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings import messages
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.hub.commands import (
    Authenticate,
    BadCommand,
    Command,
    Heartbeat,
    Ping,
    Rate,
)
from bse_ws_hub.hub.disconnects import CONNECTION_LIMIT
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.hub.stored_wants import wants_of
from bse_ws_hub.hub.wants import UnknownField, interval_of
from bse_ws_hub.set_commands import SetCommands
from bse_ws_hub.set_writer import SetWriter
from bse_ws_hub.status_messages import authenticated, set_answer


TOO_MANY_COMMANDS = "too_many_commands"

HEARTBEAT_MIN_MS, HEARTBEAT_MAX_MS = 500, 5000
"""What may be asked for: a price may be shown as live for at most 7 s without one."""


@dataclass(slots=True)
class Answers:
    """Carries out commands, and keeps stored sets in step with them."""

    clients: Clients
    sets: SetWriter
    set_commands: SetCommands = field(init=False)
    on_claimed: Callable[[Client], None] = lambda _: None

    def __post_init__(self) -> None:
        self.set_commands = SetCommands(self.clients, self.sets)

    @property
    def _hub(self) -> Hub:
        return self.clients.hub

    @property
    def _follower(self) -> QuoteFollower:
        return self.clients.follower

    def command(self, client: Client, command: Command) -> Message:
        """Carry out a command; the answer. `Authenticate` waits for others: see `authenticate`."""
        refusal = self._refusal(client, command)
        if refusal is not None:
            return refusal
        if isinstance(command, Ping | Rate | Heartbeat):
            return self._small(client, command)
        if isinstance(command, Authenticate):
            raise TypeError("answered by `authenticate`")
        if not self._follower.ready:
            return messages.error(
                "not_ready", "the hub has not read the market yet", command.id
            )
        try:
            return self.set_commands.change(client, command)
        except UnknownField as wrong:
            return messages.error("unknown_field", str(wrong), command.id)
        except BadCommand as wrong:
            return messages.error(wrong.reason, str(wrong), command.id)

    async def authenticate(self, client: Client, command: Authenticate) -> Message:
        """Prove or refresh who the client is; the answer. The next command is to wait for it."""
        refusal = self._refusal(client, command)
        if refusal is not None:
            return refusal
        admission = client.admission
        try:
            token = asked_in_auth({"token": command.token}).token
            await self.clients.doorkeeper.authenticate(admission, token)
        except Refused as refused:
            found = messages.error(refused.why.reason, str(refused), command.id)
            if refused.why is Why.CONNECTION_LIMIT and not admission.left:
                self.clients.close(client, CONNECTION_LIMIT)
            return {**found, "detail": refused.detail} if refused.detail else found
        had_client_id = client.session.client_id
        if not admission.left:
            self.clients.identified(client)
            if client.session.client_id != had_client_id:
                self._claimed(client)
        return authenticated(admission.identity, command.id)

    def stored_set(self, client: Client, record: SubscriptionRecord) -> None:
        """Take the set that was stored under the client's id by somebody else."""
        session = client.session
        if self.sets.is_pending(session.client_id):
            return  # older than what is about to be stored, and then told again
        wants = wants_of(record.wants, self._follower.instruments.by_code)
        if wants == session.wants:
            return
        self._hub.replace(session, wants)
        self.clients.send(client, set_answer("subscribed", session, self._follower))

    # Private.

    def _claimed(self, client: Client) -> None:
        """The client id is its own now: what it has chosen already counts, else what is stored."""
        if client.chose:
            self.sets.changed(client.session)
        else:
            self.on_claimed(client)

    def _refusal(self, client: Client, command: Command) -> Message | None:
        """Why the command is not carried out, whatever it is."""
        if not client.budget.spend(self.clients.clock.monotonic_ms()):
            self.clients.metrics.bad_messages.labels(TOO_MANY_COMMANDS).inc()
            per_s = client.admission.identity.commands_per_s
            return messages.error(
                TOO_MANY_COMMANDS,
                f"at most {per_s:g} commands a second; this one was not carried out",
                command.id,
            )
        if client.admission.identity.proved or isinstance(command, Ping | Authenticate):
            return None
        return messages.error(
            "not_authenticated", "send `authenticate` with a token first", command.id
        )

    def _small(self, client: Client, command: Ping | Rate | Heartbeat) -> Message:
        """What changes no set."""
        if isinstance(command, Rate):
            return self._rate(client, command)
        if isinstance(command, Heartbeat):
            return self._heartbeat(client, command)
        now_ms = self._follower.now_ms()
        return {"type": "pong", "id": command.id, "server_time_ms": now_ms}

    def _rate(self, client: Client, command: Rate) -> Message:
        interval_ms = interval_of(command.max_hz)
        client.asked_interval_ms = interval_ms
        if client.slowed_until_ms is None:
            self._hub.limit(client.session, interval_ms)
        granted = 1000 / interval_ms if interval_ms else None
        return {
            "type": "rate",
            "id": command.id,
            "max_hz": granted and round(granted, 3),
        }

    def _heartbeat(self, client: Client, command: Heartbeat) -> Message:
        asked_ms = command.interval_ms or self.clients.settings.heartbeat_interval_ms
        interval_ms = min(max(asked_ms, HEARTBEAT_MIN_MS), HEARTBEAT_MAX_MS)
        client.wants_digest = command.digest
        self.clients.beat_each(client, interval_ms)
        return {
            "type": "heartbeat_granted",
            "id": command.id,
            "interval_ms": interval_ms,
            "digest": command.digest,
        }
