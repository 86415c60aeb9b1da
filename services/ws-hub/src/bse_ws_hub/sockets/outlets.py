"""How payloads leave, door by door: what `Session.outlet` is."""

from typing import Any, Protocol

from engineio.packet import MESSAGE, Packet

from bse_ws_hub.sockets.direct_protocol import DirectSocket, ready_frame


class Outlet(Protocol):
    """A client's way out. Nothing waits; `backlog` is 0..1 and beyond, 1 meaning full."""

    def prepare(self, payload: bytes) -> Any:
        """The payload as this door sends it; the result serves all clients of the door."""
        ...

    def write(self, prepared: Any) -> None:
        """Send what `prepare` made."""
        ...

    def backlog(self) -> float:
        """How full this client's buffer is."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End the connection."""
        ...


class RawOutlet:
    """The raw WebSocket door."""

    def __init__(self, socket: DirectSocket, *, text: bool, backlog_bytes_max: int):
        self._socket = socket
        self._text = text
        self._backlog_bytes_max = backlog_bytes_max

    def prepare(self, payload: bytes) -> bytes:
        """One WebSocket frame."""
        return ready_frame(payload, text=self._text)

    def write(self, prepared: bytes) -> None:
        """Straight to the transport."""
        self._socket.write(prepared)

    def backlog(self) -> float:
        """The transport's buffer against the limit."""
        return self._socket.backlog_bytes() / self._backlog_bytes_max

    def close(self, code: int, reason: str) -> None:
        """With a close frame."""
        self._socket.close(code, reason)


class EngineIoOutlet:
    """The Socket.IO door: Engine.IO's queue of this client, whatever its transport is."""

    def __init__(self, engine: Any, engine_sid: str, close: Any, packets_max: int):
        self._engine = engine
        self._engine_sid = engine_sid
        self._close = close
        self._packets_max = packets_max

    def prepare(self, payload: bytes) -> Packet:
        """One Engine.IO message packet."""
        return Packet(MESSAGE, data=payload.decode())

    def write(self, prepared: Packet) -> None:
        """Into the client's queue, which is unbounded: `backlog` is what bounds it."""
        socket = self._engine.sockets.get(self._engine_sid)
        if socket is not None and not socket.closed:
            socket.queue.put_nowait(prepared)

    def backlog(self) -> float:
        """Packets that wait against the limit."""
        socket = self._engine.sockets.get(self._engine_sid)
        return socket.queue.qsize() / self._packets_max if socket is not None else 0.0

    def close(self, code: int, reason: str) -> None:
        """By the disconnect packet; the `goodbye` before it says why."""
        self._close()
