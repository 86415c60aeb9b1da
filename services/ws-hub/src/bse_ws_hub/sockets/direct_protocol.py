"""The way around ASGI for what the hub sends: a ready frame goes straight to the transport.

A WebSocket frame from a server is unmasked, so one bytes object serves every client, and there is no task and
no queue between the hub and the socket. uvicorn takes a protocol class (`ws=`); this one puts a `DirectSocket`
into the scope's extensions. It leans on uvicorn's sans-I/O protocol: its version is pinned and
`tests/sockets/test_direct_protocol.py` is the contract.
"""

import socket
import struct
from asyncio import BaseTransport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from websockets.http11 import Request


EXTENSION = "bse.direct_socket"

HIGH_WATER_BYTES = 64 * 1024
SEND_BUFFER_BYTES = 64 * 1024
"""Kept small, so that the kernel does not hide a slow reader's megabytes."""

ABORT_AFTER_S = 2.0

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
    """One WebSocket as the hub writes to it. Synchronous: nothing here waits."""

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

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what is buffered; cut the connection if it is not read soon."""
        protocol = self._protocol
        if protocol.close_sent or protocol.transport.is_closing():
            return
        protocol.conn.send_close(code, reason)
        protocol.close_sent = True
        protocol.transport.write(b"".join(protocol.conn.data_to_send()))
        # uvicorn cancels this timer and closes in order when the client's close frame comes.
        protocol.close_timer = protocol.loop.call_later(
            ABORT_AFTER_S, protocol.transport.abort
        )


class DirectProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, with a DirectSocket in the scope and small buffers."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Bound what may pile up for this client."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        raw: Any = transport.get_extra_info("socket")
        if raw is not None and raw.family != getattr(socket, "AF_UNIX", None):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def handle_connect(self, event: Request) -> None:
        """Accept as usual; the ASGI task has not run yet, so the scope may still grow."""
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][EXTENSION] = DirectSocket(self)
