"""The raw WebSocket door, `/ws`: subprotocol, commands in, ready frames out."""

import asyncio
from dataclasses import dataclass

from starlette.types import Message as AsgiMessage
from starlette.websockets import WebSocket

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_ws_hub.clients import TOO_MANY_COMMANDS, Client, Clients
from bse_ws_hub.encodings.codec import Codec
from bse_ws_hub.encodings.json_codec import JsonCodec
from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.hub.commands import (
    BadCommand,
    Command,
    command_from_json,
    command_from_msgpack,
)
from bse_ws_hub.hub.disconnects import (
    BAD_MESSAGES,
    GOING_AWAY,
    PROTOCOL_NOT_SUPPORTED,
    TOO_MANY_CONNECTIONS,
    Disconnect,
)
from bse_ws_hub.hub.hub import Session
from bse_ws_hub.sockets.direct_protocol import EXTENSION, DirectSocket
from bse_ws_hub.sockets.outlets import RawOutlet


CODECS: dict[str, Codec] = {
    "bse.v1.json": JsonCodec(),
    "bse.v1.msgpack": MsgpackCodec(),
}

CLIENT_ID_MAX = 128


@dataclass(slots=True)
class RawDoor:
    """Serves one WebSocket after another."""

    clients: Clients
    subscriptions: Subscriptions

    async def serve(self, websocket: WebSocket) -> None:
        """One connection, from handshake to end."""
        if not self.clients.origin_allowed(websocket.headers.get("origin")):
            await websocket.close()  # before accepting: HTTP 403
            return
        offered = websocket.scope["subprotocols"]
        chosen = next((p for p in offered if p in CODECS), None)
        await websocket.accept(chosen)
        refusal = self._refusal(known=chosen is not None or not offered)
        if refusal is not None:
            await websocket.close(refusal.code, refusal.reason)
            return
        client = self._connect(websocket, CODECS[chosen or "bse.v1.json"])
        reason = "client"
        try:
            async with asyncio.TaskGroup() as group:
                # Beside, not before: while the market was not read yet a client is answered, and may go.
                taking = group.create_task(self._take_stored_set(client))
                if self.clients.follower.ready:
                    await taking
                reason = await self._listen(websocket, client)
                taking.cancel()
        finally:
            self.clients.disconnected(client, reason)

    def _refusal(self, *, known: bool) -> Disconnect | None:
        if not known:
            return PROTOCOL_NOT_SUPPORTED
        if self.clients.draining:
            return GOING_AWAY
        return TOO_MANY_CONNECTIONS if self.clients.full else None

    def _connect(self, websocket: WebSocket, codec: Codec) -> Client:
        socket: DirectSocket = websocket.scope["extensions"][EXTENSION]
        outlet = RawOutlet(
            socket,
            text=codec.text,
            backlog_bytes_max=self.clients.settings.backlog_bytes_max,
        )
        client_id = websocket.query_params.get("client_id", "")[:CLIENT_ID_MAX]
        return self.clients.connect(Session("", codec, outlet, client_id), outlet)

    async def _take_stored_set(self, client: Client) -> None:
        if not client.session.client_id:
            return
        await self.clients.follower.readied.wait()
        try:
            record = await self.subscriptions.load(client.session.client_id)
        except StoreUnavailable:
            return  # the change channel, or the client's own subscribe, comes later
        if record is not None:
            self.clients.stored_set(client, record)

    async def _listen(self, websocket: WebSocket, client: Client) -> str:
        socket: DirectSocket = websocket.scope["extensions"][EXTENSION]
        while True:
            await socket.drained()
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return "client"
            try:
                command = _command(client.session.codec, message)
            except BadCommand as error:
                if not self.clients.refuse(client, error):
                    self.clients.close(client, BAD_MESSAGES)
                    return BAD_MESSAGES.reason
            else:
                answer = self.clients.command(client, command)
                self.clients.send(client, answer)
                if answer.get("reason") == TOO_MANY_COMMANDS:
                    # Read on when the next one is earned: a flood backs up in its sender.
                    await asyncio.sleep(1 / self.clients.settings.commands_per_s)


def _command(codec: Codec, message: AsgiMessage) -> Command:
    text, data = message.get("text"), message.get("bytes")
    if codec.text:
        if text is None:
            raise BadCommand("bad_message", "this subprotocol takes text messages")
        return command_from_json(text)
    if data is None:
        raise BadCommand("bad_message", "this subprotocol takes binary messages")
    return command_from_msgpack(data)
