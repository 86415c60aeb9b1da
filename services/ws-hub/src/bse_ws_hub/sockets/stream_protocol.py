"""What a long response needs of its connection, and ASGI does not have: a small kernel buffer, and an end.

uvicorn takes a protocol class (`http=`); this one puts a `StreamEnd` into the scope's extensions. It leans on uvicorn's
httptools protocol: its version is pinned and `tests/sockets/test_stream_protocol.py` is the contract.
"""

from asyncio import Transport
from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bse_ws_hub.sockets.transports import ABORT_AFTER_S, keep_send_buffer_small


EXTENSION = "bse.stream_end"


class StreamEnd:
    """The server's end of the connection under a response."""

    def __init__(self, transport: Transport, loop: Any):
        self._transport = transport
        self._loop = loop

    def keep_small(self) -> None:
        """Bound what the kernel takes, unless the client was faster and has gone."""
        if not self._transport.is_closing():
            keep_send_buffer_small(self._transport)

    def end_soon(self) -> None:
        """The response ends now; the connection soon after, whether the client reads or not."""
        self._loop.call_later(ABORT_AFTER_S, self._transport.abort)


class StreamProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a StreamEnd in the scope."""

    def on_message_begin(self) -> None:
        """A request begins; its ASGI task has not run yet, so the scope may still grow."""
        super().on_message_begin()
        scope: MutableMapping[str, Any] = self.scope  # type: ignore[assignment]
        scope["extensions"] = {EXTENSION: StreamEnd(self.transport, self.loop)}
