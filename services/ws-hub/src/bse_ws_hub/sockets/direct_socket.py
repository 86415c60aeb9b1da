"""One WebSocket as the hub writes to it and hears from it: no task and no queue between the hub and the socket."""

import socket
from asyncio import Transport
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from bse_ws_hub.hub.sessions import Send


EXTENSION = "bse.direct_socket"

UNREAD_BYTES_MAX = 64 * 1024

UNTIL_TOLD = float("inf")


class Receiver(Protocol):
    """Who takes a socket's messages instead of the ASGI application."""

    def message(self, data: str | bytes) -> float:
        """One message; the seconds after which the next one may come, or UNTIL_TOLD: once `go_on` is called."""
        ...

    def closed(self) -> None:
        """There will be no more, and nothing more is sent. Called once."""
        ...


class Owner(Protocol):
    """The WebSocket protocol, as far as its socket needs it."""

    transport: Transport
    loop: Any

    def close_with(self, code: int, reason: str) -> None:
        """Send a close frame, and end."""
        ...

    def detach(self) -> list[str | bytes]:
        """Let the ASGI application go; the messages that it has not taken."""
        ...

    def read(self, *, on: bool) -> None:
        """Take the client's bytes, or leave them to him."""
        ...


class DirectSocket:
    """`write` hands a ready frame to the transport, and drops it once the connection is closing.

    `send` is the system call itself while the transport holds nothing back: on the hot path every call less and every
    object not touched counts. `on_rewired` is called when it is another one from now on. `on_unread` is called when the kernel
    takes no more, `on_round_trip` with the seconds from a ping to its pong. Who does not read what he is answered, or
    commands too fast, gets no more messages read: that bounds what he can make the hub hold.
    """

    __slots__ = (
        "_held",
        "_inbox",
        "_owner",
        "_raw",
        "_receiver",
        "_unread_bytes_max",
        "_until_told",
        "compressed",
        "on_rewired",
        "on_round_trip",
        "on_unread",
        "send",
        "write",
    )

    def __init__(
        self, owner: Owner, *, compressed: bool, raw: socket.socket | None = None
    ):
        self.compressed = compressed
        self.on_rewired: Callable[[], None] = _nothing
        self.on_unread: Callable[[], None] = _nothing
        self.on_round_trip: Callable[[float], None] = _nothing
        self.write: Callable[[bytes], None] = owner.transport.write
        self.send: Send = self._send_all if raw is None else raw.send
        self._owner = owner
        self._raw = raw
        self._receiver: Receiver | None = None
        self._inbox: deque[str | bytes] | None = None
        self._held = False
        self._until_told = False
        self._unread_bytes_max = UNREAD_BYTES_MAX

    # For the doors.

    def limit(self, unread_bytes_max: int) -> None:
        """So many unread bytes are a full buffer."""
        self._unread_bytes_max = unread_bytes_max

    def unread_bytes(self) -> int:
        """What the client has not read yet, as far as this process still holds it."""
        transport = self._owner.transport
        return 0 if transport.is_closing() else transport.get_write_buffer_size()

    def backlog(self) -> float:
        """The same against the limit; 1 is full."""
        return self.unread_bytes() / self._unread_bytes_max

    def detach(self, receiver: Receiver) -> None:
        """From now on messages go to the receiver; the ASGI application may return, and the connection lives on."""
        self._receiver = receiver
        if self.write is _nothing:
            self.end()
            return
        for data in self._owner.detach():
            self.take(data)

    def go_on(self) -> None:
        """The next message may come."""
        self._held = self._until_told = False
        inbox, self._inbox = self._inbox, None
        for data in inbox or ():
            self.take(data)
        if not self._held:
            self._owner.read(on=True)

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what is buffered; cut the connection if it is not read soon."""
        self._owner.close_with(code, reason)

    # For the protocol.

    @property
    def detached(self) -> bool:
        """Whether a receiver takes the messages."""
        return self._receiver is not None

    def mute(self) -> None:
        """Nothing is written any more."""
        if self.write is not _nothing:
            self.write = _nothing
            self._rewire(len)
            if self._raw is not None:
                self._raw.detach()  # the descriptor is the transport's, who closes it
                self._raw = None

    def end(self) -> None:
        """The connection is over, or as good as over."""
        self.mute()
        self._inbox = None
        receiver, self._receiver = self._receiver, _NOBODY
        if receiver is not None:
            receiver.closed()

    def filled(self) -> None:
        """The kernel takes no more; what comes has to queue up behind what the transport holds."""
        if self.write is not _nothing:
            self._rewire(self._send_all)
        self.on_unread()

    def emptied(self) -> None:
        """The kernel has taken all."""
        if self._raw is not None:
            self._rewire(self._raw.send)
        self.drained()

    def drained(self) -> None:
        """The client has read all, or waited for long enough."""
        if self._held and not self._until_told:
            self.go_on()

    def take(self, data: str | bytes) -> None:
        """A message came."""
        if self._receiver is None:
            return
        if self._held:
            if self._inbox is None:
                self._inbox = deque()
            self._inbox.append(data)
            return
        wait_s = self._receiver.message(data)
        if wait_s == UNTIL_TOLD:
            self._until_told = True
            self._hold()
        elif wait_s:
            self._hold()
            self._owner.loop.call_later(wait_s, self.drained)
        elif self.backlog() >= 1:
            self._hold()

    def _rewire(self, send: Send) -> None:
        self.send = send
        self.on_rewired()

    def _send_all(self, frame: bytes) -> int:
        self.write(frame)
        return len(frame)

    def _hold(self) -> None:
        self._held = True
        self._owner.read(on=False)


class _Nobody:
    """Takes what comes after the end."""

    def message(self, data: str | bytes) -> float:
        """Passed over."""
        return 0.0

    def closed(self) -> None:
        """Told already."""


_NOBODY = _Nobody()


def _nothing(*_: object) -> None:
    """What a closing connection does with a frame."""
