"""What every long connection needs of its transport: a small kernel buffer, and an end in time. And its descriptor, to write past it."""

import socket
from asyncio import BaseTransport
from typing import Any


SEND_BUFFER_BYTES = 64 * 1024
"""Kept small, so that the kernel does not hide a slow reader's megabytes."""

ABORT_AFTER_S = 2.0
"""A connection that is to end, ends within so long, whatever the client reads or answers."""


def keep_send_buffer_small(transport: BaseTransport) -> None:
    """Bound what the kernel takes for this client."""
    raw: Any = transport.get_extra_info("socket")
    if raw is not None and raw.family != getattr(socket, "AF_UNIX", None):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def descriptor_of(transport: BaseTransport) -> socket.socket | None:
    """The transport's own descriptor as a socket; None where bytes are not sent as they are."""
    raw: Any = transport.get_extra_info("socket")
    if raw is None or transport.get_extra_info("ssl_object") is not None:
        return None
    found = socket.socket(raw.family, raw.type, raw.proto, fileno=raw.fileno())
    found.setblocking(False)
    return found
