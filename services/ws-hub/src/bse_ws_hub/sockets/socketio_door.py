"""The Socket.IO door. python-socketio keeps handshake, transports and pings; what clients send is read by
`socketio_packets.py`; what the hub fans out is packed once and put into each client's Engine.IO queue.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import socketio
from starlette.types import ASGIApp

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_ws_hub.clients import TOO_MANY_COMMANDS, Client, Clients
from bse_ws_hub.encodings.json_codec import SocketIoCodec
from bse_ws_hub.encodings.messages import Message, error
from bse_ws_hub.encodings.wire import as_it_is, deflated_engine_frame
from bse_ws_hub.hub.commands import BadCommand, Command, command_from_object
from bse_ws_hub.hub.disconnects import (
    BAD_MESSAGES,
    GOING_AWAY,
    SLOW_CONSUMER,
    TOO_MANY_CONNECTIONS,
    Disconnect,
)
from bse_ws_hub.hub.hub import Session
from bse_ws_hub.sockets import socketio_packets as packets
from bse_ws_hub.sockets.direct_protocol import ABORT_AFTER_S
from bse_ws_hub.sockets.direct_socket import EXTENSION, DirectSocket
from bse_ws_hub.sockets.engine_guard import EngineGuard
from bse_ws_hub.sockets.outlets import EngineIoOutlet
from bse_ws_hub.sockets.socketio_packets import InPacket
from bse_ws_hub.sockets.strict_server import StrictServer


QUEUED = SocketIoCodec("socketio-queue", as_it_is)
DIRECT = SocketIoCodec()
DIRECT_DEFLATED = SocketIoCodec("socketio+deflate", deflated_engine_frame)

CLIENT_ID_MAX = 128
DIRECT_AFTER_S = 0.25
EVENTS = frozenset({"subscribe", "unsubscribe", "resume", "rate", "heartbeat"})
DRAIN_WITHIN_S = 2.0
CONNECT_WITHIN_S = 5.0
"""A session that does not name its namespace by then is ended."""

UNCONNECTED_MAX = 500
"""Sessions that have not done so yet."""


NOT_SPOKEN = BadCommand("bad_message", "only text events in namespace /")


class SocketIoDoor:
    """The Socket.IO server and its clients, by the id of their Engine.IO session."""

    def __init__(self, clients: Clients, subscriptions: Subscriptions):
        settings = clients.settings
        quiet = logging.getLogger("bse_ws_hub.socketio")
        quiet.setLevel(logging.ERROR)  # a warning of the library is one a message
        self.server = StrictServer(
            async_mode="asgi",
            logger=quiet,
            engineio_logger=quiet,
            # The guard refuses origins; this only says so to browsers.
            cors_allowed_origins=settings.origins or ["none"],
            # The client learns that it is connected before the first event goes out.
            always_connect=True,
            max_http_buffer_size=settings.message_bytes_max,
            ping_interval=20,
            ping_timeout=20,
        )
        self._clients = clients
        self._subscriptions = subscriptions
        self._by_session: dict[str, Client] = {}
        self._direct: dict[str, DirectSocket] = {}
        self._born_on_websocket: set[str] = set()
        self._taking: dict[str, asyncio.Task[None]] = {}
        self._ends: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self.server.take = self._take
        self.server.opened = self._opened
        self.server.gone = self._gone
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)

    def asgi(self, other: ASGIApp) -> ASGIApp:
        """The ASGI application: `/socket.io/` here, everything else to `other`."""
        return EngineGuard(
            socketio.ASGIApp(self.server, other),
            self.server.eio,
            origin_allowed=self._clients.origin_allowed,
            admits=self._admits,
            end=self._cut,
            direct=self._direct,
        )

    async def close_next(self) -> None:
        """A supervised loop's step: carry out the closings that the hub decided."""
        end = await self._ends.get()
        await end()
        self._ends.task_done()

    async def drain(self) -> None:
        """At shutdown: all clients told to go, and gone."""
        await self._clients.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ends.join(), DRAIN_WITHIN_S)

    # Sessions come and go.

    def _admits(self) -> bool:
        waiting = len(self.server.eio.sockets) - len(self._by_session)
        return not self._clients.draining and waiting < UNCONNECTED_MAX

    def _opened(self, eio_sid: str, environ: dict[str, Any]) -> None:
        scope = environ["asgi.scope"]
        if scope["type"] == "websocket":
            socket: DirectSocket = scope["extensions"][EXTENSION]
            socket.on_round_trip = self._clients.metrics.round_trip_seconds.observe
            self._direct[eio_sid] = socket
            self._born_on_websocket.add(eio_sid)
        self._cut_later(eio_sid, CONNECT_WITHIN_S, unless_connected=True)

    def _gone(self, eio_sid: str) -> None:
        self._direct.pop(eio_sid, None)
        self._born_on_websocket.discard(eio_sid)

    def _cut_later(
        self, eio_sid: str, delay_s: float, *, unless_connected: bool = False
    ) -> None:
        def cut() -> None:
            if not (unless_connected and eio_sid in self._by_session):
                self._ends.put_nowait(partial(self._cut, eio_sid))

        asyncio.get_running_loop().call_later(delay_s, cut)

    async def _cut(self, eio_sid: str, why: Disconnect = BAD_MESSAGES) -> None:
        """End a session now, whatever its transport, and whether the client reads or not."""
        socket = self._direct.get(eio_sid)
        if socket is not None:
            socket.close(why.code, why.reason)
        session = self.server.eio.sockets.pop(eio_sid, None)
        if session is not None:
            await session.close(wait=False, abort=True)
            session.queue.put_nowait(None)  # lets go of who polls or writes

    async def _say_goodbye(self, eio_sid: str) -> None:
        sid = self.server.manager.sid_from_eio_sid(eio_sid, "/")
        with suppress(KeyError):  # the client may have gone by itself
            await self.server.disconnect(sid)
        self._cut_later(eio_sid, ABORT_AFTER_S)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        """python-socketio has answered the client that it is connected."""
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        outlet = EngineIoOutlet(
            self.server.eio,
            eio_sid,
            lambda: self._ends.put_nowait(partial(self._say_goodbye, eio_sid)),
            self._clients.settings.backlog_packets_max,
        )
        client = self._clients.connect(
            Session("", QUEUED, outlet, _client_id(auth)), outlet
        )
        self._by_session[eio_sid] = client
        if eio_sid in self._born_on_websocket:
            # Python-socketio's answer to the handshake goes through the queue: let it pass first.
            asyncio.get_running_loop().call_later(
                DIRECT_AFTER_S, self._go_direct, eio_sid, client, outlet
            )
        if client.session.client_id:
            taking = self.server.start_background_task(self._take_stored_set, client)
            self._taking[eio_sid] = taking
            if self._clients.follower.ready:
                await taking

    def _go_direct(self, eio_sid: str, client: Client, outlet: EngineIoOutlet) -> None:
        socket = self._direct.get(eio_sid)
        if socket is None or self._by_session.get(eio_sid) is not client:
            return
        if outlet.queued:  # not yet: what is older goes first
            asyncio.get_running_loop().call_later(
                DIRECT_AFTER_S, self._go_direct, eio_sid, client, outlet
            )
            return
        socket.limit(self._clients.settings.backlog_bytes_max)
        outlet.go_direct(socket)
        codec = DIRECT_DEFLATED if socket.compressed else DIRECT
        self._clients.hub.recode(client.session, codec)

    async def _disconnect(self, sid: str, reason: str) -> None:
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        client = self._by_session.pop(eio_sid, None)
        taking = self._taking.pop(eio_sid, None)
        if taking is not None:
            taking.cancel()
        if client is not None:
            self._clients.disconnected(client, "client")

    # What clients send.

    async def _take(self, eio_sid: str, data: str | bytes) -> None:
        """One packet. Returns when the client may send the next one."""
        client = self._by_session.get(eio_sid)
        try:
            packet = packets.parse_packet(data)
            if packet.kind == packets.CONNECT:
                await self._take_connect(eio_sid, client, packet)
            elif client is None:
                return  # on its way out, or cut soon if it does not connect
            elif packet.kind == packets.DISCONNECT:
                await self.server._handle_disconnect(eio_sid, "/")  # noqa: SLF001 - its own subclass
                self._cut_later(eio_sid, CONNECT_WITHIN_S, unless_connected=True)
            elif packet.kind == packets.EVENT and packet.namespace == "/":
                await self._take_event(client, packet)
            else:
                await self._refuse(eio_sid, client, NOT_SPOKEN)
        except BadCommand as wrong:
            await self._refuse(eio_sid, client, wrong)
        await self._drained(eio_sid)

    async def _take_connect(
        self, eio_sid: str, client: Client | None, packet: InPacket
    ) -> None:
        why = ""
        if packet.namespace != "/":
            why = "Invalid namespace"
        elif client is not None:
            raise BadCommand("bad_message", "already connected")
        elif self._clients.draining or self._clients.full:
            full = TOO_MANY_CONNECTIONS
            why = (GOING_AWAY if self._clients.draining else full).reason
        if not why:
            await self.server._handle_connect(eio_sid, "/", packet.data)  # noqa: SLF001 - its own subclass
            return
        refusal = self.server.packet_class(
            socketio.packet.CONNECT_ERROR,
            data={"message": why},
            namespace=packet.namespace[:40],
        )
        await self.server._send_packet(eio_sid, refusal)  # noqa: SLF001 - its own subclass
        if client is None:
            self._cut_later(eio_sid, ABORT_AFTER_S, unless_connected=True)

    async def _take_event(self, client: Client, packet: InPacket) -> None:
        answer: Message
        going_on = True
        try:
            command = _command(packet)
            answer = self._clients.command(client, command)
        except BadCommand as wrong:
            answer = error(wrong.reason, str(wrong))
            going_on = self._clients.count_bad(client, wrong)
        if packet.id is not None:
            self._clients.send_payload(client, packets.ack_packet(packet.id, answer))
        elif answer["type"] == "error":
            self._clients.send(client, answer)
        if not going_on:
            self._clients.close(client, BAD_MESSAGES)
        if answer.get("reason") == TOO_MANY_COMMANDS:
            # Read on when the next one is earned: a flood backs up in its sender.
            await asyncio.sleep(1 / self._clients.settings.commands_per_s)

    async def _refuse(
        self, eio_sid: str, client: Client | None, wrong: BadCommand
    ) -> None:
        if client is None:
            await self._cut(eio_sid)
        elif not self._clients.refuse(client, wrong):
            self._clients.close(client, BAD_MESSAGES)

    async def _drained(self, eio_sid: str) -> None:
        """Who does not read the answers gets no more of his packets read, and is cut in the end."""
        session = self.server.eio.sockets.get(eio_sid)
        settings = self._clients.settings
        if session is None or session.queue.qsize() < settings.backlog_packets_max:
            return
        try:
            async with asyncio.timeout(settings.slow_cut_s):
                await session.queue.join()
        except TimeoutError:
            await self._cut(eio_sid, SLOW_CONSUMER)

    async def _take_stored_set(self, client: Client) -> None:
        await self._clients.follower.readied.wait()
        try:
            record = await self._subscriptions.load(client.session.client_id)
        except StoreUnavailable:
            return
        if record is not None:
            self._clients.stored_set(client, record)


def _command(packet: InPacket) -> Command:
    name, argument = packets.parse_event(packet.data)
    if name not in EVENTS:
        raise BadCommand("unknown_op", f"no such event: {name[:40]}")
    return command_from_object(name, argument)


def _client_id(auth: Any) -> str:
    found = auth.get("client_id") if isinstance(auth, dict) else None
    return found[:CLIENT_ID_MAX] if isinstance(found, str) else ""
