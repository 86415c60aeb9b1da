"""The raw WebSocket door, `/ws`: subprotocol, commands in, ready frames out."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bse_ws_hub.admission.admission import Admission
from bse_ws_hub.admission.refused import Refused, Why
from bse_ws_hub.answers import TOO_MANY_COMMANDS, Answers
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.encodings.json_codec import JsonCodec
from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.encodings.wire import deflated_binary_frame, deflated_text_frame
from bse_ws_hub.follow_sets import SetFollower
from bse_ws_hub.hub.commands import (
    Authenticate,
    BadCommand,
    Command,
    command_from_json,
    command_from_msgpack,
)
from bse_ws_hub.hub.disconnects import (
    BAD_MESSAGES,
    CONNECTION_LIMIT,
    GOING_AWAY,
    INTERNAL_ERROR,
    PROTOCOL_NOT_SUPPORTED,
    TOO_MANY_CONNECTIONS,
    Disconnect,
)
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.sockets.direct_socket import EXTENSION, UNTIL_TOLD, DirectSocket
from bse_ws_hub.sockets.refusal_response import refusal_response


log = structlog.get_logger()

JSON, MSGPACK = "bse.v1.json", "bse.v1.msgpack"

CODECS: dict[tuple[str, bool], Codec] = {
    (JSON, False): JsonCodec(),
    (JSON, True): JsonCodec("json+deflate", deflated_text_frame),
    (MSGPACK, False): MsgpackCodec(),
    (MSGPACK, True): MsgpackCodec("msgpack+deflate", deflated_binary_frame),
}
"""By subprotocol, and whether compression was agreed on."""

Later = Callable[[Callable[[], Awaitable[None]]], None]


@dataclass(slots=True, eq=False)
class RawConnection:
    """One client of this door, as its socket's receiver. `later` has what must wait for others done."""

    answers: Answers
    client: Client
    socket: DirectSocket
    later: Later

    def message(self, data: str | bytes) -> float:
        """Carry out a command and answer it."""
        clients, client = self.answers.clients, self.client
        try:
            command = _command(client.session.codec, data)
        except BadCommand as error:
            if not clients.refuse(client, error):
                clients.close(client, BAD_MESSAGES)
            return 0.0
        if isinstance(command, Authenticate):
            self.later(partial(self._authenticate, command))
            return UNTIL_TOLD
        try:
            answer = self.answers.command(client, command)
        except Exception as error:  # noqa: BLE001 - one client's trouble must not become everybody's
            self._fail(error)
            return 0.0
        clients.send(client, answer)
        if answer.get("reason") == TOO_MANY_COMMANDS:
            # Read on when the next one is earned: a flood backs up in its sender.
            return 1 / client.budget.per_s
        return 0.0

    def closed(self) -> None:
        """The connection is gone."""
        self.answers.clients.disconnected(self.client, "client")

    async def _authenticate(self, command: Authenticate) -> None:
        try:
            answer = await self.answers.authenticate(self.client, command)
        except Exception as error:  # noqa: BLE001 - see above
            self._fail(error)
            return
        self.answers.clients.send(self.client, answer)
        self.socket.go_on()

    def _fail(self, error: Exception) -> None:
        session = self.client.session.id
        log.error("client.command_failed", session=session, exc_info=error)
        self.answers.clients.close(self.client, INTERNAL_ERROR)


@dataclass(slots=True)
class RawDoor:
    """Serves one WebSocket after another."""

    answers: Answers
    sets: SetFollower
    _waiting: asyncio.Queue[Callable[[], Awaitable[None]]] = field(
        default_factory=asyncio.Queue
    )

    @property
    def _clients(self) -> Clients:
        return self.answers.clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The handshake; the connection then lives on without this task."""
        websocket = WebSocket(scope, receive, send)
        if not self._clients.origin_allowed(websocket.headers.get("origin")):
            await websocket.close()  # before accepting: HTTP 403
            return
        offered = scope["subprotocols"]
        chosen = next((p for p in offered if p in {JSON, MSGPACK}), None)
        host = scope["client"][0] if scope["client"] else ""
        keeper = self._clients.doorkeeper
        try:
            keeper.arrive(host)
            if refusal := self._refusal(known=chosen is not None or not offered):
                await _close(websocket, chosen, refusal)
                return
            admission = await keeper.admit(keeper.asked_in_request(scope), host)
        except Refused as refused:
            if refused.why is Why.CONNECTION_LIMIT:
                await _close(websocket, chosen, CONNECTION_LIMIT)
            else:
                await websocket.send_denial_response(refusal_response(refused))
            return
        await self._open(websocket, chosen, admission)

    async def wait_for_others(self) -> None:
        """A supervised loop's endless step: carry out the commands that wait for the store."""
        async with asyncio.TaskGroup() as group:
            while True:
                waiting = await self._waiting.get()
                group.create_task(_run(waiting))

    def _refusal(self, *, known: bool) -> Disconnect | None:
        if not known:
            return PROTOCOL_NOT_SUPPORTED
        if self._clients.draining:
            return GOING_AWAY
        return TOO_MANY_CONNECTIONS if self._clients.full else None

    async def _open(
        self, websocket: WebSocket, chosen: str | None, admission: Admission
    ) -> None:
        """Accept who was let in. Whatever happens before he is connected, he leaves again."""
        client = None
        try:
            record = await self.sets.at_start(admission)
            await websocket.accept(chosen)
            refusal = self._refusal(known=True)
            if refusal is not None:
                await websocket.close(refusal.code, refusal.reason)
                return
            socket: DirectSocket = websocket.scope["extensions"][EXTENSION]
            codec = CODECS[chosen or JSON, socket.compressed]
            socket.limit(self._clients.settings.backlog_bytes_max)
            socket.on_round_trip = self._clients.metrics.round_trip_seconds.observe
            session = Session("", codec, socket)
            client = self._clients.connect(session, socket, admission)
        finally:
            if client is None:
                self._clients.doorkeeper.leave(admission)
        if client is not None:
            self.sets.start(client, record)  # before the client's own commands
            later = self._waiting.put_nowait
            socket.detach(RawConnection(self.answers, client, socket, later))


async def _close(websocket: WebSocket, chosen: str | None, why: Disconnect) -> None:
    """Where the handshake itself was good: browsers see a code of a close frame only."""
    await websocket.accept(chosen)
    await websocket.close(why.code, why.reason)


async def _run(waiting: Callable[[], Awaitable[None]]) -> None:
    await waiting()


def _command(codec: Codec, data: str | bytes) -> Command:
    if codec.door == "json":
        if isinstance(data, bytes):
            raise BadCommand("bad_message", "this subprotocol takes text messages")
        return command_from_json(data)
    if isinstance(data, str):
        raise BadCommand("bad_message", "this subprotocol takes binary messages")
    return command_from_msgpack(data)
