"""The WebSockets under Socket.IO sessions, and when what the hub sends goes straight to them instead of through Engine.IO's queue."""

import asyncio
from typing import Any

from starlette.types import Scope

from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.json_codec import SocketIoCodec
from bse_ws_hub.encodings.wire import as_it_is, deflated_engine_frame
from bse_ws_hub.sockets.direct_socket import EXTENSION, DirectSocket
from bse_ws_hub.sockets.outlets import EngineIoOutlet
from bse_ws_hub.sockets.strict_server import forget_request


QUEUED = SocketIoCodec("socketio-queue", as_it_is)
DIRECT = SocketIoCodec()
DIRECT_DEFLATED = SocketIoCodec("socketio+deflate", deflated_engine_frame)

DIRECT_AFTER_S = 0.25


class DirectWays:
    """`sockets`: by the id of their Engine.IO session, those that it was upgraded to as well."""

    def __init__(self, clients: Clients):
        self.sockets: dict[str, DirectSocket] = {}
        self._clients = clients
        self._born_on_websocket: set[str] = set()

    def opened(self, eio_sid: str, scope: Scope) -> None:
        """A session began with this request."""
        if scope["type"] == "websocket":
            socket: DirectSocket = scope["extensions"][EXTENSION]
            socket.on_round_trip = self._clients.metrics.round_trip_seconds.observe
            self.sockets[eio_sid] = socket
            self._born_on_websocket.add(eio_sid)

    def gone(self, eio_sid: str) -> None:
        """The session is over."""
        self.sockets.pop(eio_sid, None)
        self._born_on_websocket.discard(eio_sid)

    def connected(
        self,
        eio_sid: str,
        client: Client,
        outlet: EngineIoOutlet,
        environ: dict[str, Any],
    ) -> None:
        """The session has a client now; born on a WebSocket, it goes direct soon."""
        if eio_sid in self._born_on_websocket:
            forget_request(environ)
            # Python-socketio's answer to the handshake goes through the queue: let it pass first.
            self._later(eio_sid, client, outlet)

    def _later(self, eio_sid: str, client: Client, outlet: EngineIoOutlet) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(DIRECT_AFTER_S, self._go_direct, eio_sid, client, outlet)

    def _go_direct(self, eio_sid: str, client: Client, outlet: EngineIoOutlet) -> None:
        socket, clients = self.sockets.get(eio_sid), self._clients
        if socket is None or clients.all.get(client.session.id) is not client:
            return  # it has gone, or is on its way out
        if outlet.queued or socket.unread_bytes():  # not yet: what is older goes first
            self._later(eio_sid, client, outlet)
            return
        socket.limit(clients.settings.backlog_bytes_max)
        outlet.go_direct(socket)
        codec = DIRECT_DEFLATED if socket.compressed else DIRECT
        clients.hub.recode(client.session, codec)
