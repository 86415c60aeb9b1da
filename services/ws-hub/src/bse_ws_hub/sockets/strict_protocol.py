"""uvicorn's WebSocket protocol for clients who may mean harm: told by a close frame what they broke, logged never, ended in time.

It leans on uvicorn's sans-I/O protocol: its version is pinned and `tests/sockets/test_direct_protocol.py` is the contract.
"""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)
from websockets.frames import CloseCode, Frame

from bse_ws_hub.sockets.transports import ABORT_AFTER_S


BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class StrictProtocol(WebSocketsSansIOProtocol):
    """A client who breaks the protocol is told so, and nothing is logged: one client must not be able to fill the log."""

    fragments_max = 16
    fragment_bytes_min = 1
    """Policy beyond RFC 6455: a command is small, so a message in crumbs is an attack."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.close_timeout = ABORT_AFTER_S
        self._failed = False
        self._end: TimerHandle | None = None

    # What a subclass may add to.

    def on_ending(self) -> None:
        """The connection is to end: from now on only uvicorn itself writes."""

    def take_message(self, text: str | None) -> None:
        """A whole message came, its bytes in `frames`; `text` where it is one."""
        super().send_receive_event_to_app()

    def read(self, *, on: bool) -> None:
        """Take the client's bytes, or leave them to him."""
        if on == self.read_paused and not self.transport.is_closing():
            self.read_paused = not on
            if on:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    # The end.

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """The client writes no more."""
        super().eof_received()
        self._end_soon(closing=True)

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

    async def send(self, message: Any) -> None:
        """What the application sends."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # A refusal completes the handshake, too; uvicorn would log an error for each.
            self.handshake_complete = True

    def _end_soon(self, *, closing: bool = False) -> None:
        """A transport that closes waits for its buffer, which nobody may ever read: end it in time."""
        if not closing and not self.transport.is_closing():
            return
        self.on_ending()
        if self._end is None:
            self._end = self.loop.call_later(ABORT_AFTER_S, self.transport.abort)

    # What comes.

    def data_received(self, data: bytes) -> None:
        """Parse; what comes after a broken frame is read and dropped, so that the close frame arrives."""
        if self._failed:
            return
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self._refuse_handshake()
        self._end_soon()

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
        text = None
        if self.curr_msg_data_type == "text":
            self.frames = [b"".join(self.frames)]
            try:
                text = self.frames[0].decode()
            except UnicodeDecodeError:
                self._fail(CloseCode.INVALID_DATA, "invalid UTF-8")
                return
        self.take_message(text)

    # What is broken.

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
            self.read(on=True)
            # Not None: then uvicorn does not close when the application ends.
            self.close_timer = self.loop.call_later(ABORT_AFTER_S, self.transport.abort)
        else:
            self.transport.close()

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
