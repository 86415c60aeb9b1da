"""The Socket.IO door. python-socketio keeps handshake, transports, pings and acknowledgements; what the hub
fans out is packed once and put into each client's Engine.IO queue.
"""

import asyncio
from contextlib import suppress
from typing import Any

import socketio

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.json_codec import SocketIoCodec
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.hub.commands import BadCommand, command_from_object
from bse_ws_hub.hub.disconnects import (
    BAD_MESSAGES,
    GOING_AWAY,
    TOO_MANY_CONNECTIONS,
)
from bse_ws_hub.hub.hub import Session
from bse_ws_hub.sockets.outlets import EngineIoOutlet


CODEC = SocketIoCodec()

CLIENT_ID_MAX = 128
DRAIN_WITHIN_S = 2.0


class SocketIoDoor:
    """The Socket.IO server and its clients."""

    def __init__(self, clients: Clients, subscriptions: Subscriptions):
        settings = clients.settings
        origins: Any = "*" if "*" in settings.origins else settings.origins
        self.server = socketio.AsyncServer(
            async_mode="asgi",
            cors_allowed_origins=origins,
            # The client learns that it is connected before the first event goes out.
            always_connect=True,
            max_http_buffer_size=settings.message_bytes_max,
            ping_interval=20,
            ping_timeout=20,
        )
        self._clients = clients
        self._subscriptions = subscriptions
        self._by_sid: dict[str, Client] = {}
        self._closing: asyncio.Queue[str] = asyncio.Queue()
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("subscribe", self._subscribe)
        self.server.on("unsubscribe", self._unsubscribe)
        self.server.on("*", self._unknown)

    def asgi(self, other: Any) -> Any:
        """The ASGI application: `/socket.io/` here, everything else to `other`."""
        return socketio.ASGIApp(self.server, other)

    async def close_next(self) -> None:
        """A supervised loop's step: carry out the closings that the hub decided."""
        sid = await self._closing.get()
        with suppress(KeyError):  # the client may have gone by itself
            await self.server.disconnect(sid)
        self._closing.task_done()

    async def drain(self) -> None:
        """At shutdown: all clients told to go, and gone."""
        await self._clients.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.join(), DRAIN_WITHIN_S)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        if self._clients.draining or self._clients.full:
            why = GOING_AWAY if self._clients.draining else TOO_MANY_CONNECTIONS
            raise socketio.exceptions.ConnectionRefusedError(why.reason)
        outlet = EngineIoOutlet(
            self.server.eio,
            self.server.manager.eio_sid_from_sid(sid, "/"),
            lambda: self._closing.put_nowait(sid),
            self._clients.settings.backlog_packets_max,
        )
        client = self._clients.connect(
            Session("", CODEC, outlet, _client_id(auth)), outlet
        )
        self._by_sid[sid] = client
        await self._take_stored_set(client)

    async def _disconnect(self, sid: str, reason: str) -> None:
        client = self._by_sid.pop(sid, None)
        if client is not None:
            self._clients.disconnected(client, "client")

    async def _subscribe(self, sid: str, data: Any = None) -> Message | None:
        return self._command(sid, "subscribe", data)

    async def _unsubscribe(self, sid: str, data: Any = None) -> Message | None:
        return self._command(sid, "unsubscribe", data)

    async def _unknown(self, event: str, sid: str, *_: Any) -> None:
        self._refuse(sid, BadCommand("unknown_op", f"no such event: {event[:40]}"))

    def _command(self, sid: str, op: str, data: Any) -> Message | None:
        """The answer becomes the acknowledgement."""
        client = self._by_sid.get(sid)
        if client is None:
            return None
        try:
            return self._clients.command(client, command_from_object(op, data))
        except BadCommand as error:
            self._refuse(sid, error)
            return {"type": "error", "reason": error.reason, "message": str(error)}

    def _refuse(self, sid: str, error: BadCommand) -> None:
        client = self._by_sid.get(sid)
        if client is not None and not self._clients.refuse(client, error):
            self._clients.close(client, BAD_MESSAGES)

    async def _take_stored_set(self, client: Client) -> None:
        if not client.session.client_id:
            return
        await self._clients.follower.readied.wait()
        try:
            record = await self._subscriptions.load(client.session.client_id)
        except StoreUnavailable:
            return
        if record is not None:
            self._clients.stored_set(client, record)


def _client_id(auth: Any) -> str:
    found = auth.get("client_id") if isinstance(auth, dict) else None
    return found[:CLIENT_ID_MAX] if isinstance(found, str) else ""
