"""The Socket.IO door. python-socketio keeps handshake, transports and pings; what clients send is read by
`socketio_packets.py`; what the hub fans out is packed once, and goes to each client's WebSocket or Engine.IO queue.
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import socketio
from starlette.types import ASGIApp, Scope

from bse_shared.wire.records import SubscriptionRecord
from bse_ws_hub.admission.admission import Admission
from bse_ws_hub.admission.refused import Refused
from bse_ws_hub.answers import Answers
from bse_ws_hub.clients import Client
from bse_ws_hub.follow_sets import SetFollower
from bse_ws_hub.hub.commands import BadCommand
from bse_ws_hub.hub.disconnects import (
    BAD_MESSAGES,
    GOING_AWAY,
    SLOW_CONSUMER,
    TOO_MANY_CONNECTIONS,
)
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.sockets import socketio_packets as packets
from bse_ws_hub.sockets.engine_guard import EngineGuard
from bse_ws_hub.sockets.engine_refusals import BUSY, RATE_LIMITED, Refusal
from bse_ws_hub.sockets.outlets import EngineIoOutlet
from bse_ws_hub.sockets.socketio_direct import QUEUED, DirectWays
from bse_ws_hub.sockets.socketio_ends import SessionEnds
from bse_ws_hub.sockets.socketio_events import take_event
from bse_ws_hub.sockets.socketio_packets import InPacket
from bse_ws_hub.sockets.strict_server import server_for
from bse_ws_hub.sockets.transports import ABORT_AFTER_S


DRAIN_WITHIN_S = 2.0
CONNECT_WITHIN_S = 5.0
"""A session that does not name its namespace by then is ended."""

UNCONNECTED_MAX = 500
"""Sessions that have not done so yet."""

NOT_SPOKEN = BadCommand("bad_message", "only text events in namespace /")


class _Admitted(NamedTuple):
    """Let in, but not connected yet."""

    admission: Admission
    record: SubscriptionRecord | None


class SocketIoDoor:
    """The Socket.IO server and its clients, by the id of their Engine.IO session."""

    def __init__(self, answers: Answers, sets: SetFollower):
        clients = answers.clients
        settings = clients.settings
        self.server = server_for(settings.origins, settings.message_bytes_max)
        self._clients = clients
        self._answers = answers
        self._sets = sets
        self._by_session: dict[str, Client] = {}
        self._ways = DirectWays(clients)
        self._admitted: dict[str, _Admitted | None] = {}
        self.ends = SessionEnds(
            self.server, self._ways.sockets, self._by_session.__contains__
        )
        self.server.take = self._take
        self.server.opened = self._opened
        self.server.gone = self._ways.gone
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)

    def asgi(self, other: ASGIApp) -> ASGIApp:
        """The ASGI application: `/socket.io/` here, everything else to `other`."""
        return EngineGuard(
            socketio.ASGIApp(self.server, other),
            self.server.eio,
            origin_allowed=self._clients.origin_allowed,
            admits=self._admits,
            end=self.ends.cut,
            direct=self._ways.sockets,
        )

    async def drain(self) -> None:
        """At shutdown: all clients told to go, and gone."""
        self._clients.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ends.all_carried_out(), DRAIN_WITHIN_S)

    # Sessions come and go.

    def _admits(self, scope: Scope) -> Refusal | None:
        waiting = len(self.server.eio.sockets) - len(self._by_session)
        if self._clients.draining or waiting >= UNCONNECTED_MAX:
            return BUSY
        try:
            self._clients.doorkeeper.arrive(_host(scope))
        except Refused as refused:
            return RATE_LIMITED._replace(retry_after_s=refused.retry_after_s)
        return None

    def _opened(self, eio_sid: str, environ: dict[str, Any]) -> None:
        self._ways.opened(eio_sid, environ["asgi.scope"])
        self.ends.cut_later(eio_sid, CONNECT_WITHIN_S, unless_connected=True)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        """python-socketio has answered the client that it is connected."""
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        admitted = self._admitted.get(eio_sid)
        if admitted is None:
            return
        outlet = EngineIoOutlet(
            self.server.eio,
            eio_sid,
            partial(self.ends.end, eio_sid),
            self._clients.settings.backlog_packets_max,
        )
        self._admitted[eio_sid] = None  # from here on it leaves as a client
        session = Session("", QUEUED, outlet)
        client = self._clients.connect(session, outlet, admitted.admission)
        if client is None:
            return
        self._by_session[eio_sid] = client
        self._ways.connected(eio_sid, client, outlet, environ)
        self._sets.start(client, admitted.record)

    async def _disconnect(self, sid: str, reason: str) -> None:
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        client = self._by_session.pop(eio_sid, None)
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
                self.ends.cut_later(eio_sid, CONNECT_WITHIN_S, unless_connected=True)
            elif packet.kind == packets.EVENT and packet.namespace == "/":
                await take_event(self._answers, client, packet)
            else:
                await self._refuse(eio_sid, client, NOT_SPOKEN)
        except BadCommand as wrong:
            await self._refuse(eio_sid, client, wrong)
        await self._drained(eio_sid)

    async def _take_connect(
        self, eio_sid: str, client: Client | None, packet: InPacket
    ) -> None:
        if packet.namespace != "/":
            told: dict[str, Any] = {"message": "Invalid namespace"}
        elif client is not None or eio_sid in self._admitted:
            raise BadCommand("bad_message", "already connected")
        elif (busy := self._busy()) is not None:
            told = {"message": busy}
        else:
            try:
                await self._let_in(eio_sid, packet)
            except Refused as refused:
                data = {"reason": refused.why.reason, "detail": refused.detail}
                told = {"message": refused.why.reason, "data": data}
            else:
                return
        refusal = self.server.packet_class(
            socketio.packet.CONNECT_ERROR,
            data=told,
            namespace=packet.namespace[:40],
        )
        await self.server._send_packet(eio_sid, refusal)  # noqa: SLF001 - its own subclass
        if client is None:
            self.ends.cut_later(eio_sid, ABORT_AFTER_S, unless_connected=True)

    def _busy(self) -> str | None:
        if self._clients.draining:
            return GOING_AWAY.reason
        return TOO_MANY_CONNECTIONS.reason if self._clients.full else None

    async def _let_in(self, eio_sid: str, packet: InPacket) -> None:
        """Raises Refused."""
        keeper = self._clients.doorkeeper
        asked = keeper.asked_in_auth(packet.data)
        self._admitted[eio_sid] = None
        admission = None
        try:
            host = _host(self.server.environ[eio_sid]["asgi.scope"])
            admission = await keeper.admit(asked, host)
            record = await self._sets.at_start(admission)
            self._admitted[eio_sid] = _Admitted(admission, record)
            if eio_sid in self.server.environ:  # else it was cut meanwhile
                await self.server._handle_connect(eio_sid, "/", packet.data)  # noqa: SLF001 - its own subclass
        finally:
            if self._admitted.pop(eio_sid) is not None and admission is not None:
                keeper.leave(admission)

    async def _refuse(
        self, eio_sid: str, client: Client | None, wrong: BadCommand
    ) -> None:
        if client is None:
            await self.ends.cut(eio_sid)
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
            await self.ends.cut(eio_sid, SLOW_CONSUMER)


def _host(scope: Scope) -> str:
    return scope["client"][0] if scope["client"] else ""
