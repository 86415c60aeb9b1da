"""The raw WebSocket door, `/ws`: subprotocol, commands in, ready frames out."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_ws_hub.clients import TOO_MANY_COMMANDS, Client, Clients
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.encodings.json_codec import JsonCodec
from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.encodings.wire import deflated_binary_frame, deflated_text_frame
from bse_ws_hub.hub.commands import (
    BadCommand,
    Command,
    command_from_json,
    command_from_msgpack,
)
from bse_ws_hub.hub.disconnects import (
    BAD_MESSAGES,
    GOING_AWAY,
    INTERNAL_ERROR,
    PROTOCOL_NOT_SUPPORTED,
    TOO_MANY_CONNECTIONS,
    Disconnect,
)
from bse_ws_hub.hub.hub import Session
from bse_ws_hub.sockets.direct_socket import EXTENSION, DirectSocket


log = structlog.get_logger()

JSON, MSGPACK = "bse.v1.json", "bse.v1.msgpack"

CODECS: dict[tuple[str, bool], Codec] = {
    (JSON, False): JsonCodec(),
    (JSON, True): JsonCodec("json+deflate", deflated_text_frame),
    (MSGPACK, False): MsgpackCodec(),
    (MSGPACK, True): MsgpackCodec("msgpack+deflate", deflated_binary_frame),
}
"""By subprotocol, and whether compression was agreed on."""

CLIENT_ID_MAX = 128


@dataclass(slots=True, eq=False)
class RawConnection:
    """One client of this door, as its socket's receiver."""

    clients: Clients
    client: Client

    def message(self, data: str | bytes) -> float:
        """Carry out a command and answer it."""
        clients, client = self.clients, self.client
        try:
            command = _command(client.session.codec, data)
        except BadCommand as error:
            if not clients.refuse(client, error):
                clients.close(client, BAD_MESSAGES)
            return 0.0
        try:
            answer = clients.command(client, command)
        except Exception:  # one client's trouble must not become everybody's
            log.exception("client.command_failed", session=client.session.id)
            clients.close(client, INTERNAL_ERROR)
            return 0.0
        clients.send(client, answer)
        if answer.get("reason") == TOO_MANY_COMMANDS:
            # Read on when the next one is earned: a flood backs up in its sender.
            return 1 / clients.settings.commands_per_s
        return 0.0

    def closed(self) -> None:
        """The connection is gone."""
        self.clients.disconnected(self.client, "client")


@dataclass(slots=True)
class RawDoor:
    """Serves one WebSocket after another. `take_set_later`: the set of this client id, once the market is read."""

    clients: Clients
    subscriptions: Subscriptions
    take_set_later: Callable[[str], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The handshake; the connection then lives on without this task."""
        websocket = WebSocket(scope, receive, send)
        if not self.clients.origin_allowed(websocket.headers.get("origin")):
            await websocket.close()  # before accepting: HTTP 403
            return
        offered = scope["subprotocols"]
        chosen = next((p for p in offered if p in {JSON, MSGPACK}), None)
        await websocket.accept(chosen)
        refusal = self._refusal(known=chosen is not None or not offered)
        if refusal is not None:
            await websocket.close(refusal.code, refusal.reason)
            return
        socket: DirectSocket = scope["extensions"][EXTENSION]
        codec = CODECS[chosen or JSON, socket.compressed]
        client_id = websocket.query_params.get("client_id", "")[:CLIENT_ID_MAX]
        await self._connect(socket, codec, client_id)

    def _refusal(self, *, known: bool) -> Disconnect | None:
        if not known:
            return PROTOCOL_NOT_SUPPORTED
        if self.clients.draining:
            return GOING_AWAY
        return TOO_MANY_CONNECTIONS if self.clients.full else None

    async def _connect(
        self, socket: DirectSocket, codec: Codec, client_id: str
    ) -> None:
        socket.limit(self.clients.settings.backlog_bytes_max)
        socket.on_round_trip = self.clients.metrics.round_trip_seconds.observe
        client = self.clients.connect(Session("", codec, socket, client_id), socket)
        connection = RawConnection(self.clients, client)
        if client_id and self.clients.follower.ready:
            await self._take_stored_set(client)  # before the client's own commands
        elif client_id:
            self.take_set_later(client_id)
        socket.detach(connection)

    async def _take_stored_set(self, client: Client) -> None:
        try:
            record = await self.subscriptions.load(client.session.client_id)
        except StoreUnavailable:
            return  # the change channel, or the client's own subscribe, comes later
        if record is not None:
            self.clients.stored_set(client, record)


def _command(codec: Codec, data: str | bytes) -> Command:
    if codec.door == "json":
        if isinstance(data, bytes):
            raise BadCommand("bad_message", "this subprotocol takes text messages")
        return command_from_json(data)
    if isinstance(data, str):
        raise BadCommand("bad_message", "this subprotocol takes binary messages")
    return command_from_msgpack(data)
