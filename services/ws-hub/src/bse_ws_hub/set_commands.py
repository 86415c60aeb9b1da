"""Commands that change what a client subscribes to, and how it comes back."""

from dataclasses import dataclass

from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.position import Position
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.messages import Message, Rejection
from bse_ws_hub.hub.commands import BadCommand, Resume, Subscribe, Unsubscribe
from bse_ws_hub.hub.hub import Hub, unknown_symbol
from bse_ws_hub.hub.vector import has_reached, held_at
from bse_ws_hub.hub.wants import Want, interval_of, mask_of_fields
from bse_ws_hub.set_writer import SetWriter
from bse_ws_hub.status_messages import set_answer


ALL_SYMBOLS = "*"


@dataclass(slots=True)
class SetCommands:
    """The market must have been read. What is changed is stored by `sets`."""

    clients: Clients
    sets: SetWriter

    @property
    def _hub(self) -> Hub:
        return self.clients.hub

    @property
    def _follower(self) -> QuoteFollower:
        return self.clients.follower

    def change(
        self, client: Client, command: Subscribe | Resume | Unsubscribe
    ) -> Message:
        """Carry out the command. Raises UnknownField, BadCommand."""
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
            rejected += not_allowed
            answer = set_answer(
                "subscribed", session, self._follower, command.id, rejected
            )
        client.chose = True
        self.sets.changed(session)
        return answer

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

    # Private.

    def _allowed(
        self, client: Client, symbols: list[str]
    ) -> tuple[list[str], list[Rejection]]:
        """What of the symbols the client's role may ask for."""
        if client.admission.identity.all_symbols or ALL_SYMBOLS not in symbols:
            return symbols, []
        why = "your role may not subscribe to all scrips"
        rest = [symbol for symbol in symbols if symbol != ALL_SYMBOLS]
        return rest, [Rejection(ALL_SYMBOLS, "not_allowed", why)]

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
