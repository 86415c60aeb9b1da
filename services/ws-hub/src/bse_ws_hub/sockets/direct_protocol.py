"""The way around ASGI for what the hub sends: a ready frame goes straight to the transport.

A WebSocket frame from a server is unmasked, so one bytes object serves every client, and there is no task and
no queue between the hub and the socket. uvicorn takes a protocol class (`ws=`); this one puts a `DirectSocket`
into the scope's extensions. It leans on uvicorn's sans-I/O protocol: its version is pinned and
`tests/sockets/test_direct_protocol.py` is the contract.
"""

import socket
import struct
from asyncio import BaseTransport, TimerHandle
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request


EXTENSION = "bse.direct_socket"

HIGH_WATER_BYTES = 64 * 1024
SEND_BUFFER_BYTES = 64 * 1024
"""Kept small, so that the kernel does not hide a slow reader's megabytes."""

ABORT_AFTER_S = 2.0
"""A connection that is to end, ends within so long, whatever the client reads or answers."""

BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)

_TEXT, _BINARY = 0x81, 0x82


def ready_frame(payload: bytes, *, text: bool) -> bytes:
    """The payload as one unmasked WebSocket frame (RFC 6455, 5.2)."""
    opcode = _TEXT if text else _BINARY
    length = len(payload)
    if length < 126:  # noqa: PLR2004 - 7-bit length
        return struct.pack("!BB", opcode, length) + payload
    if length < 65536:  # noqa: PLR2004 - 16-bit length
        return struct.pack("!BBH", opcode, 126, length) + payload
    return struct.pack("!BBQ", opcode, 127, length) + payload


class DirectSocket:
    """One WebSocket as the hub writes to it. Nothing here waits but `drained`."""

    def __init__(self, protocol: "DirectProtocol"):
        self._protocol = protocol

    def write(self, frame: bytes) -> None:
        """Hand a ready frame to the transport; dropped when the connection is closing."""
        protocol = self._protocol
        if protocol.close_sent or protocol.transport.is_closing():
            return
        protocol.transport.write(frame)

    def backlog_bytes(self) -> int:
        """What the client has not read yet, as far as this process still holds it."""
        transport = self._protocol.transport
        return 0 if transport.is_closing() else transport.get_write_buffer_size()

    def limit(self, unread_bytes_max: int) -> None:
        """Count the client as `full` from so many unread bytes on."""
        self._protocol.transport.set_write_buffer_limits(high=unread_bytes_max)

    @property
    def full(self) -> bool:
        """Whether the client has left more unread than the high-water mark."""
        return not self._protocol.writable.is_set()

    async def drained(self) -> None:
        """Until the client has read what is above the high-water mark, or is gone.

        Who is not reading the answers gets no more commands read: that bounds what he can make the hub hold.
        """
        await self._protocol.writable.wait()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what is buffered; cut the connection if it is not read soon."""
        protocol = self._protocol
        if protocol.close_sent or protocol.transport.is_closing():
            return
        protocol.conn.send_close(code, reason)
        protocol.close_sent = True
        protocol.transport.write(b"".join(protocol.conn.data_to_send()))
        protocol.read_on()
        # uvicorn cancels this timer and closes in order when the client's close frame comes.
        protocol.close_timer = protocol.loop.call_later(
            ABORT_AFTER_S, protocol.transport.abort
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
        self._failed = False
        self._end: TimerHandle | None = None

    # What the transport calls.

    def connection_made(self, transport: BaseTransport) -> None:
        """Bound what may pile up for this client."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
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
        super().connection_lost(exc)

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
        """The application, to its end."""
        await super().run_asgi()
        self._end_soon()

    # What the parser found.

    def handle_connect(self, event: Request) -> None:
        """Accept as usual; the ASGI task has not run yet, so the scope may still grow."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][EXTENSION] = DirectSocket(self)

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

    def send_receive_event_to_app(self) -> None:
        """Check that text is text before uvicorn does, who logs a traceback where it is not."""
        if self.curr_msg_data_type == "text":
            self.frames = [b"".join(self.frames)]
            try:
                self.frames[0].decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "invalid UTF-8")
                return
        super().send_receive_event_to_app()

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
        self.stop_keepalive()
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.read_on()
            # Not None: then uvicorn does not close when the application ends.
            self.close_timer = self.loop.call_later(ABORT_AFTER_S, self.transport.abort)
        else:
            self.transport.close()

    def read_on(self) -> None:
        """Take the client's bytes again, though the application did not ask for more."""
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

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

    def _end_soon(self, *, closing: bool = False) -> None:
        """A transport that closes waits for its buffer, which nobody may ever read: end it in time."""
        if self._end is None and (closing or self.transport.is_closing()):
            self._end = self.loop.call_later(ABORT_AFTER_S, self.transport.abort)
