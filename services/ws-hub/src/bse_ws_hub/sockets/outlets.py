"""How payloads leave, door by door: what `Session.outlet` is."""

from collections.abc import Callable
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

    @property
    def full(self) -> bool:
        """Whether the buffer has reached its limit. Asked after every write: cheap."""
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
        socket.limit(backlog_bytes_max)
        self.write: Callable[[bytes], None] = (
            socket.write
        )  # on the hot path: one call less

    def prepare(self, payload: bytes) -> bytes:
        """One WebSocket frame."""
        return ready_frame(payload, text=self._text)

    def backlog(self) -> float:
        """The transport's buffer against the limit."""
        return self._socket.backlog_bytes() / self._backlog_bytes_max

    @property
    def full(self) -> bool:
        """As the transport has told."""
        return self._socket.full

    def close(self, code: int, reason: str) -> None:
        """With a close frame."""
        self._socket.close(code, reason)


class EnginePayload:
    """A Socket.IO packet in the two forms that Engine.IO clients are sent, each made once when first needed."""

    __slots__ = ("_frame", "_packet", "_payload")

    def __init__(self, payload: bytes):
        self._payload = payload
        self._frame: bytes | None = None
        self._packet: Packet | None = None

    @property
    def frame(self) -> bytes:
        """A ready WebSocket frame: an Engine.IO message (type 4) is text."""
        if self._frame is None:
            self._frame = ready_frame(b"4" + self._payload, text=True)
        return self._frame

    @property
    def packet(self) -> Packet:
        """A packet for Engine.IO's queue."""
        if self._packet is None:
            self._packet = Packet(MESSAGE, data=self._payload.decode())
        return self._packet


class EngineIoOutlet:
    """The Socket.IO door.

    Engine.IO's queue serves every transport, at the price of a task switch and an encoding a packet. A session that
    was born on a WebSocket is written to directly, once `go_direct` says that nothing older is on its way through
    the queue. One that was upgraded stays with the queue: what is between the queue and the socket can't be seen.
    """

    def __init__(self, engine: Any, engine_sid: str, close: Any, packets_max: int):
        self._engine = engine
        self._engine_sid = engine_sid
        self._close = close
        self._packets_max = packets_max
        self._direct: DirectSocket | None = None
        self._backlog_bytes_max = 1

    def go_direct(self, socket: DirectSocket, backlog_bytes_max: int) -> None:
        """From now on write to the socket whenever the queue is empty."""
        self._direct = socket
        self._backlog_bytes_max = backlog_bytes_max
        socket.limit(backlog_bytes_max)

    def prepare(self, payload: bytes) -> EnginePayload:
        """One Engine.IO message."""
        return EnginePayload(payload)

    def write(self, prepared: EnginePayload) -> None:
        """Directly, or into the client's queue, which is unbounded: `backlog` is what bounds it."""
        socket = self._engine.sockets.get(self._engine_sid)
        if socket is None or socket.closed:
            return
        if self._direct is not None and socket.queue.empty():
            self._direct.write(prepared.frame)
        else:
            socket.queue.put_nowait(prepared.packet)

    def backlog(self) -> float:
        """What waits, in the queue or in the transport, against the limit."""
        socket = self._engine.sockets.get(self._engine_sid)
        if socket is None:
            return 0.0
        queued: float = socket.queue.qsize() / self._packets_max
        if self._direct is None:
            return queued
        return max(queued, self._direct.backlog_bytes() / self._backlog_bytes_max)

    @property
    def full(self) -> bool:
        """The transport's word, or the queue's length."""
        if self._direct is not None and self._direct.full:
            return True
        socket = self._engine.sockets.get(self._engine_sid)
        return socket is not None and socket.queue.qsize() >= self._packets_max

    def close(self, code: int, reason: str) -> None:
        """By the disconnect packet; the `goodbye` before it says why."""
        self._close()
