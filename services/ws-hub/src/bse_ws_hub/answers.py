"""What a client's commands do, and what they are answered."""

from collections.abc import Callable
from dataclasses import dataclass

from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.position import Position
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.wire.records import SubscriptionRecord
from bse_ws_hub.admission.asked import asked_in_auth
from bse_ws_hub.admission.refused import Refused, Why
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings import messages
from bse_ws_hub.encodings.messages import Message, Rejection
from bse_ws_hub.hub.commands import (
    Authenticate,
    BadCommand,
    Command,
    Heartbeat,
    Ping,
    Rate,
    Resume,
    Subscribe,
    Unsubscribe,
)
from bse_ws_hub.hub.disconnects import CONNECTION_LIMIT
from bse_ws_hub.hub.hub import Hub, unknown_symbol
from bse_ws_hub.hub.stored_wants import wants_of
from bse_ws_hub.hub.vector import has_reached, held_at
from bse_ws_hub.hub.wants import UnknownField, Want, interval_of, mask_of_fields
from bse_ws_hub.set_writer import SetWriter
from bse_ws_hub.status_messages import authenticated, set_answer


TOO_MANY_COMMANDS = "too_many_commands"
ALL_SYMBOLS = "*"

HEARTBEAT_MIN_MS, HEARTBEAT_MAX_MS = 500, 5000
"""What may be asked for: a price may be shown as live for at most 7 s without one."""


@dataclass(slots=True)
class Answers:
    """Carries out commands, and keeps stored sets in step with them."""

    clients: Clients
    sets: SetWriter
    on_claimed: Callable[[Client], None] = lambda _: None

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
            return self._change_set(client, command)
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

    def resume_at(
        self, client: Client, command: Subscribe, vector: list[Position]
    ) -> Message:
        """Subscribe for a client that was in step at `vector`. Raises UnknownField."""
        master, table = self._follower.instruments, self._follower.table
        symbols, not_allowed = self._allowed(client, command.symbols)
        positions = []
        unknown = []
        for symbol in symbols:
            found = master.select(symbol)
            positions += [(i.code, held_at(vector, i.code, table)) for i in found]
            if not found:
                unknown.append(unknown_symbol(symbol))
        answer = self._resume(
            client, positions, want_of(command), command.id, numbered=False
        )
        answer["rejected"] += [r.as_dict() for r in [*unknown, *not_allowed]]
        return answer

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

    def _change_set(
        self, client: Client, command: Subscribe | Resume | Unsubscribe
    ) -> Message:
        """Carry out a command that changes the set. Raises UnknownField."""
        master, session = self._follower.instruments, client.session
        if isinstance(command, Unsubscribe):
            rejected = self._hub.unsubscribe(session, command.symbols, master)
            answer = set_answer(
                "unsubscribed", session, self._follower, command.id, rejected
            )
        elif isinstance(command, Resume):
            positions = [(code, Position(e, s)) for code, e, s in command.positions]
            answer = self._resume(client, positions, want_of(command), command.id)
        else:
            want = want_of(command)
            symbols, not_allowed = self._allowed(client, command.symbols)
            rejected = self._hub.subscribe(session, symbols, want, master)
            answer = set_answer(
                *("subscribed", session, self._follower, command.id),
                [*rejected, *not_allowed],
            )
        client.chose = True
        self.sets.changed(session)
        return answer

    def _allowed(
        self, client: Client, symbols: list[str]
    ) -> tuple[list[str], list[Rejection]]:
        """What of the symbols the client's role may ask for."""
        if client.admission.identity.all_symbols or ALL_SYMBOLS not in symbols:
            return symbols, []
        why = "your role may not subscribe to all scrips"
        rest = [symbol for symbol in symbols if symbol != ALL_SYMBOLS]
        return rest, [Rejection(ALL_SYMBOLS, "not_allowed", why)]

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

    def _resume(
        self,
        client: Client,
        positions: list[tuple[int, Position]],
        want: Want,
        command_id: object,
        *,
        numbered: bool = True,
    ) -> Message:
        """What each scrip gets is decided here, by its position: just what it lacks, or an image."""
        master, table = self._follower.instruments, self._follower.table
        session = client.session
        rejected = self._hub.resume(session, positions, want, master, numbered=numbered)
        resumed, reimaged = [], []
        for code, held in positions:
            image = table.get(code)
            if code not in session.wants:
                continue
            same = image is not None and image.position.epoch == held.epoch
            known = same and image is not None and held <= image.position
            if known or not has_reached(table, code, held):
                resumed.append(code)
            else:
                reimaged.append(code)
        answer = set_answer("resumed", session, self._follower, command_id, rejected)
        return {**answer, "resumed": resumed, "re_imaged": reimaged}


def want_of(command: Subscribe | Resume) -> Want:
    """What the command asks for; names win over a mode. Raises UnknownField, BadCommand."""
    mask = (
        mask_of_fields(command.fields)
        if command.fields
        else MODE_MASKS[command.mode or Mode.QUOTE]
    )
    if command.every and command.max_hz is not None:
        raise BadCommand("bad_message", "every and max_hz exclude each other")
    return Want(mask, interval_of(command.max_hz), command.every)
