"""The way around ASGI for what the hub sends: a ready frame goes straight to the transport.

A WebSocket frame from a server is unmasked, so one bytes object serves every client. uvicorn takes a protocol class
(`ws=`); this one puts a `DirectSocket` into the scope's extensions. It leans on uvicorn's sans-I/O protocol: its
version is pinned and `tests/sockets/test_direct_protocol.py` is the contract.
"""

import socket
from asyncio import BaseTransport, TimerHandle, Transport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from bse_ws_hub.sockets.direct_socket import EXTENSION, DirectSocket
from bse_ws_hub.sockets.event_queue import EventQueue


SEND_BUFFER_BYTES = 64 * 1024
"""Kept small, so that the kernel does not hide a slow reader's megabytes."""

ABORT_AFTER_S = 2.0
"""A connection that is to end, ends within so long, whatever the client reads or answers."""

BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)

DEFLATE_WANTED = "compress=deflate"
"""In the query: browsers always offer compression, so an offer alone is no wish."""

DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    compress_settings={"memLevel": 5},
)


class DirectProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with a DirectSocket in the scope, small buffers and a hard end.

    Where the client breaks the protocol, it is told so by a close frame, and nothing is logged: one client
    must not be able to fill the log.
    """

    fragments_max = 16
    fragment_bytes_min = 1
    """Policy beyond RFC 6455: a command is small, so a message in crumbs is an attack."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.close_timeout = ABORT_AFTER_S
        self.queue: Any = EventQueue()
        self._direct: DirectSocket | None = None
        self._failed = False
        self._end: TimerHandle | None = None

    # What the transport calls.

    def connection_made(self, transport: BaseTransport) -> None:
        """Bound what may pile up for this client."""
        super().connection_made(transport)
        # So the transport writes at once, and tells of every byte that the kernel does not take.
        self.transport.set_write_buffer_limits(high=0)
        raw: Any = transport.get_extra_info("socket")
        if raw is not None and raw.family != getattr(socket, "AF_UNIX", None):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        """Parse; what comes after a broken frame is read and dropped, so that the close frame arrives."""
        if self._failed:
            return
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self._refuse_handshake()
        self._end_soon()

    def eof_received(self) -> None:
        """The client writes no more."""
        super().eof_received()
        self._end_soon(closing=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._end is not None:
            self._end.cancel()
        if self._direct is not None:
            self._direct.mute()  # before anything else: soon the descriptor is closed
        super().connection_lost(exc)
        if self._direct is not None:
            self._direct.end()

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        super().pause_writing()
        if self._direct is not None:
            self._direct.filled()

    def resume_writing(self) -> None:
        """All is written."""
        super().resume_writing()
        if self._direct is not None:
            self._direct.emptied()

    # What uvicorn calls.

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self._end_soon()

    def keepalive_timeout(self) -> None:
        """No pong came."""
        super().keepalive_timeout()
        self._end_soon()

    async def run_asgi(self) -> None:
        """The application, to its end; the connection ends with it unless it was detached."""
        await super().run_asgi()
        if self._direct is not None and self._direct.detached:
            self._forget_handshake()
        else:
            self._end_soon()

    async def send(self, message: Any) -> None:
        """What the application sends."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.request = self.response = None  # type: ignore[assignment]  # not kept for hours
        if message["type"] == "websocket.http.response.body":
            # A refusal completes the handshake, too; uvicorn would log an error for each.
            self.handshake_complete = True
        if self.close_sent and self._direct is not None:
            self._direct.mute()

    # What the socket asks.

    def close_with(self, code: int, reason: str) -> None:
        """See Owner."""
        if self._direct is not None:
            self._direct.mute()
        if self.close_sent or self.transport.is_closing():
            return
        self.conn.send_close(code, reason)
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.read(on=True)
        # uvicorn cancels this timer and closes in order when the client's close frame comes.
        self.close_timer = self.loop.call_later(ABORT_AFTER_S, self.transport.abort)

    def detach(self) -> list[str | bytes]:
        """See Owner."""
        # Not None: then uvicorn does not close when the application ends.
        self.close_timer = self.loop.call_later(0, _nothing)
        waiting = []
        while not self.queue.empty():
            event: Any = self.queue.get_nowait()
            if event["type"] == "websocket.receive":
                waiting.append(event.get("text") or event.get("bytes") or b"")
        self.read(on=True)
        return waiting

    def read(self, *, on: bool) -> None:
        """See Owner."""
        if on == self.read_paused and not self.transport.is_closing():
            self.read_paused = not on
            if on:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    # What the parser found.

    def handle_connect(self, event: Request) -> None:
        """Accept as usual; the ASGI task has not run yet, so the scope may still grow."""
        if DEFLATE_WANTED in event.path.partition("?")[2].split("&"):
            self.conn.available_extensions = [DEFLATE]
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            compressed = bool(self.conn.extensions)
            self._direct = DirectSocket(
                self, compressed=compressed, raw=_raw_socket(self.transport)
            )
            scope["extensions"][EXTENSION] = self._direct

    def handle_cont(self, event: Frame) -> None:
        """The next fragment; too many, or empty ones, are refused."""
        crumb = len(event.data) < self.fragment_bytes_min and not event.fin
        if crumb or len(self.frames) >= self.fragments_max:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        elif not self._failed:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer, but to those who read the answers: pings must not fill the buffer."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_pong(self, event: Frame) -> None:
        """Tell how long it took."""
        awaited = self.pending_ping_payload is not None
        super().handle_pong(event)
        if awaited and self.pending_ping_payload is None and self._direct is not None:
            self._direct.on_round_trip(self.last_ping_rtt)

    def send_receive_event_to_app(self) -> None:
        """Check that text is text before uvicorn does, who logs a traceback where it is not."""
        text = None
        if self.curr_msg_data_type == "text":
            self.frames = [b"".join(self.frames)]
            try:
                text = self.frames[0].decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "invalid UTF-8")
                return
        if self._direct is None or not self._direct.detached:
            super().send_receive_event_to_app()
        elif not self.close_sent:
            data, self.frames = b"".join(self.frames), []
            self._direct.take(data if text is None else text)

    def handle_parser_exception(self) -> None:
        """The close frame is out; end our side, and read on for a moment.

        To close at once while the client still sends would reset the connection, and the close frame be lost.
        """
        sent = self.conn.close_sent
        code, reason = (sent.code, sent.reason) if sent else (CloseCode.GOING_AWAY, "")
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": code, "reason": reason}
        )
        self._failed = True
        self.close_sent = True
        if self._direct is not None:
            self._direct.end()
        self.stop_keepalive()
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.read(on=True)
            # Not None: then uvicorn does not close when the application ends.
            self.close_timer = self.loop.call_later(ABORT_AFTER_S, self.transport.abort)
        else:
            self.transport.close()

    # Private.

    def _fail(self, code: CloseCode, reason: str) -> None:
        if self._failed or self.close_sent:
            return
        self.frames = []
        self.conn.fail(code, reason)
        self.handle_parser_exception()

    def _refuse_handshake(self) -> None:
        """uvicorn leaves a request that is none (over-long lines, broken headers) without an answer."""
        self._failed = True
        self.handshake_complete = True
        answer = b"".join(self.conn.data_to_send())
        self.transport.write(answer or BAD_REQUEST)
        self.transport.close()

    def _forget_handshake(self) -> None:
        """What served the handshake is not kept for the hours that the connection lasts."""
        if self.close_timer is not None and not self.close_sent:
            self.close_timer.cancel()
            self.close_timer = None
        self.queue = NOWHERE
        self.scope = None  # type: ignore[assignment]

    def _end_soon(self, *, closing: bool = False) -> None:
        """A transport that closes waits for its buffer, which nobody may ever read: end it in time."""
        if not closing and not self.transport.is_closing():
            return
        if self._direct is not None:
            self._direct.mute()
        if self._end is None:
            self._end = self.loop.call_later(ABORT_AFTER_S, self.transport.abort)


class _Nowhere:
    """The queue of a detached connection: nobody reads it."""

    def put_nowait(self, event: object) -> None:
        """Drop it."""


NOWHERE: Any = _Nowhere()


def _raw_socket(transport: Transport) -> socket.socket | None:
    """The transport's own descriptor as a socket; None where bytes are not sent as they are."""
    raw: Any = transport.get_extra_info("socket")
    if raw is None or transport.get_extra_info("ssl_object") is not None:
        return None
    found = socket.socket(raw.family, raw.type, raw.proto, fileno=raw.fileno())
    found.setblocking(False)
    return found


def _nothing() -> None:
    """Stands in for a timer."""
