"""How payloads leave, door by door: what `Session.outlet` is."""

from collections.abc import Callable
from typing import Any, Protocol

from engineio.packet import MESSAGE, Packet

from bse_ws_hub.hub.disconnects import Disconnect
from bse_ws_hub.hub.sessions import Send, WayOut
from bse_ws_hub.sockets.direct_socket import DirectSocket


class Outlet(WayOut, Protocol):
    """A client's way out. A `DirectSocket` is one."""

    on_unread: Callable[[], None]
    """To be called when something is left unread: from then on the hub looks at `backlog`."""

    on_rewired: Callable[[], None]
    """To be called when `send` is another one."""

    def unread_bytes(self) -> int:
        """The backlog in bytes."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End the connection."""
        ...


class EngineIoOutlet:
    """The Socket.IO door.

    Engine.IO's queue serves every transport, at the price of a task switch and an encoding a packet. A session that
    was born on a WebSocket is written to directly once nothing older is on its way through the queue. One that was
    upgraded stays with the queue: what is between the queue and the socket can't be seen.
    """

    __slots__ = (
        "_close",
        "_direct",
        "_engine",
        "_engine_sid",
        "_on_unread",
        "_packets_max",
        "on_rewired",
        "send",
        "write",
    )

    def __init__(
        self,
        engine: Any,
        engine_sid: str,
        close: Callable[[Disconnect, DirectSocket | None], None],
        packets_max: int,
    ):
        self.write: Callable[[bytes], None] = self._enqueue
        self.send: Send = self._enqueue_all
        self.on_rewired: Callable[[], None] = lambda: None
        self._on_unread: Callable[[], None] = lambda: None
        self._engine = engine
        self._engine_sid = engine_sid
        self._close = close
        self._packets_max = packets_max
        self._direct: DirectSocket | None = None

    @property
    def on_unread(self) -> Callable[[], None]:
        """See Outlet."""
        return self._on_unread

    @on_unread.setter
    def on_unread(self, told: Callable[[], None]) -> None:
        self._on_unread = told

    @property
    def queued(self) -> int:
        """Packets that wait."""
        socket = self._engine.sockets.get(self._engine_sid)
        return 0 if socket is None else socket.queue.qsize()

    def go_direct(self, socket: DirectSocket) -> None:
        """From now on what is written is a ready frame for this socket."""
        self._direct = socket
        socket.on_unread = self._on_unread
        socket.on_rewired = self._rewired
        self._rewired()

    def backlog(self) -> float:
        """What waits, in the queue or in the transport, against the limit."""
        queued = self.queued / self._packets_max
        return queued if self._direct is None else max(queued, self._direct.backlog())

    def unread_bytes(self) -> int:
        """See Outlet."""
        socket = self._engine.sockets.get(self._engine_sid)
        queued: int = 0 if socket is None else socket.queue.waiting_bytes()
        return queued + (self._direct.unread_bytes() if self._direct else 0)

    def close(self, code: int, reason: str) -> None:
        """As the door ends its sessions; the `goodbye` before it says why."""
        self._close(Disconnect(code, reason), self._direct)

    def _enqueue(self, payload: bytes) -> None:
        """Into the client's queue, which is unbounded: `backlog` is what bounds it."""
        socket = self._engine.sockets.get(self._engine_sid)
        if socket is not None and not socket.closed:
            socket.queue.put_nowait(Packet(MESSAGE, data=payload.decode()))
            self._on_unread()

    def _enqueue_all(self, payload: bytes) -> int:
        self._enqueue(payload)
        return len(payload)

    def _rewired(self) -> None:
        if self._direct is not None:
            self.write, self.send = self._direct.write, self._direct.send
            self.on_rewired()
