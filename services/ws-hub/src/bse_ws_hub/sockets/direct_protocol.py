"""The way around ASGI for what the hub sends: a ready frame goes straight to the transport.

A WebSocket frame from a server is unmasked, so one bytes object serves every client. uvicorn takes a protocol class
(`ws=`); this one puts a `DirectSocket` into the scope's extensions. It leans on uvicorn's sans-I/O protocol: its
version is pinned and `tests/sockets/test_direct_protocol.py` is the contract.
"""

from asyncio import BaseTransport
from typing import Any

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.http11 import Request

from bse_ws_hub.sockets.direct_socket import EXTENSION, DirectSocket
from bse_ws_hub.sockets.event_queue import NOWHERE, EventQueue
from bse_ws_hub.sockets.strict_protocol import StrictProtocol
from bse_ws_hub.sockets.transports import (
    ABORT_AFTER_S,
    descriptor_of,
    keep_send_buffer_small,
)


DEFLATE_WANTED = "compress=deflate"
"""In the query: browsers always offer compression, so an offer alone is no wish."""

DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    compress_settings={"memLevel": 5},
)


class DirectProtocol(StrictProtocol):
    """The strict protocol with a DirectSocket in the scope, and small buffers."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.queue: Any = EventQueue()
        self._direct: DirectSocket | None = None

    # What the transport calls.

    def connection_made(self, transport: BaseTransport) -> None:
        """Bound what may pile up for this client."""
        super().connection_made(transport)
        # So the transport writes at once, and tells of every byte that the kernel does not take.
        self.transport.set_write_buffer_limits(high=0)
        keep_send_buffer_small(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self.on_ending()  # before anything else: soon the descriptor is closed
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

    def handle_connect(self, event: Request) -> None:
        """Accept as usual; the ASGI task has not run yet, so the scope may still grow."""
        if DEFLATE_WANTED in event.path.partition("?")[2].split("&"):
            self.conn.available_extensions = [DEFLATE]
        super().handle_connect(event)
        scope: Any = getattr(self, "scope", None)
        if scope is not None:
            self._direct = DirectSocket(
                self,
                compressed=bool(self.conn.extensions),
                raw=descriptor_of(self.transport),
            )
            scope["extensions"][EXTENSION] = self._direct

    async def run_asgi(self) -> None:
        """The application, to its end; the connection ends with it unless it was detached."""
        await super().run_asgi()
        if self._direct is not None and self._direct.detached:
            self._forget_handshake()

    async def send(self, message: Any) -> None:
        """What the application sends."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.request = self.response = None  # type: ignore[assignment]  # not kept for hours
        if self.close_sent:
            self.on_ending()

    def handle_pong(self, event: Frame) -> None:
        """Tell how long it took."""
        awaited = self.pending_ping_payload is not None
        super().handle_pong(event)
        if awaited and self.pending_ping_payload is None and self._direct is not None:
            self._direct.on_round_trip(self.last_ping_rtt)

    def handle_parser_exception(self) -> None:
        """The client broke the protocol: nothing of it is heard any more."""
        if self._direct is not None:
            self._direct.end()
        super().handle_parser_exception()

    # What the strict protocol calls.

    def on_ending(self) -> None:
        """See StrictProtocol."""
        if self._direct is not None:
            self._direct.mute()

    def take_message(self, text: str | None) -> None:
        """To the application, or to who took its place."""
        if self._direct is None or not self._direct.detached:
            super().take_message(text)
        elif not self.close_sent:
            data, self.frames = b"".join(self.frames), []
            self._direct.take(data if text is None else text)

    # What the socket asks; `read` as well.

    def close_with(self, code: int, reason: str) -> None:
        """See Owner."""
        self.on_ending()
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
        self.read(on=True)
        return [
            event.get("text") or event.get("bytes") or b""
            for event in self.queue.drain()
            if event["type"] == "websocket.receive"
        ]

    # Private.

    def _forget_handshake(self) -> None:
        """What served the handshake is not kept for the hours that the connection lasts."""
        if self.close_timer is not None and not self.close_sent:
            self.close_timer.cancel()
            self.close_timer = None
        self.queue = NOWHERE
        self.scope = None  # type: ignore[assignment]


def _nothing() -> None:
    """Stands in for a timer."""
