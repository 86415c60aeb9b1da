"""python-socketio's server with what the hub needs otherwise: a bounded answer to a poll, and its own reading.

python-engineio answers a poll with all that waits, but its client refuses an answer of more than 16 packets.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import engineio
import socketio
from engineio.async_socket import AsyncSocket
from engineio.packet import NOOP, Packet


PACKETS_PER_POLL_MAX = 16


class PortionedQueue(asyncio.Queue[Any]):
    """`get` begins a portion; `get_nowait` finds nothing once the portion is full."""

    _portion = 0

    async def get(self) -> Any:
        """The first of a portion."""
        while True:
            self._portion = 0
            try:
                return await super().get()
            except asyncio.QueueEmpty:
                continue  # another reader filled its portion while this one waited

    def get_nowait(self) -> Any:
        """The next of the portion; also called by `get`."""
        if self._portion >= PACKETS_PER_POLL_MAX:
            raise asyncio.QueueEmpty
        self._portion += 1
        return super().get_nowait()

    def waiting_bytes(self) -> int:
        """How much waits, about."""
        waiting: Any = self._queue  # type: ignore[attr-defined]
        return sum(len(packet.data or "") for packet in waiting if packet)


class QueueingEngine(engineio.AsyncServer):  # type: ignore[misc]  # the library has no types
    """python-engineio with our queue and the protocol's own answers, whose ping timers end with their sessions.

    A timer left behind holds a dead session for the ping interval: with many short connections, thousands.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._pings: dict[str, asyncio.Task[None]] = {}

    def create_queue(self, *args: Any, **kwargs: Any) -> PortionedQueue:
        """See `engineio.AsyncServer`."""
        return PortionedQueue(*args, **kwargs)

    def _ok(self, packets: list[Any] | None = None, **options: Any) -> dict[str, Any]:
        if packets == []:  # of a poll that ends with its session
            packets = [Packet(NOOP)]
        answer: dict[str, Any] = super()._ok(packets, **options)
        return answer if packets else {**answer, "response": b"ok"}

    def start_background_task(
        self, target: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> asyncio.Task[None]:
        """See `engineio.AsyncServer`."""
        task: asyncio.Task[None] = super().start_background_task(
            target, *args, **kwargs
        )
        owner = getattr(target, "__self__", None)
        if isinstance(owner, AsyncSocket):
            self._pings[owner.sid] = task
        return task

    def stop_pinging(self, sid: str) -> None:
        """The session is over."""
        ping = self._pings.pop(sid, None)
        if ping is not None:
            ping.cancel()


class OneRoom(socketio.AsyncManager):  # type: ignore[misc]  # the library has no types
    """python-socketio's register without a room for each client.

    Nothing is emitted to rooms here, they cost memory, and a client that leaves is looked for in every one of them.
    """

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        """Only the room of everybody (None) is kept."""
        if room is None:
            super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)


_STILL_USED = ("asgi.receive", "asgi.send", "asgi.scope", "REQUEST_METHOD")


def forget_request(environ: dict[str, Any]) -> None:
    """Drop what a WebSocket's handshake brought and nobody asks for again; the libraries hold it to the end."""
    kept = {name: environ[name] for name in _STILL_USED if name in environ}
    environ.clear()
    environ.update(kept)
    environ["asgi.scope"]["headers"] = []


class StrictServer(socketio.AsyncServer):  # type: ignore[misc]  # the library has no types
    """python-socketio, but that all that clients send goes to `take`, and sessions are told to `opened`."""

    take: Callable[[str, str | bytes], Awaitable[None]]
    opened: Callable[[str, dict[str, Any]], None]
    gone: Callable[[str], None]

    def _engineio_server_class(self) -> type:
        return QueueingEngine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self.opened(eio_sid, environ)

    async def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        if eio_sid in self.environ:
            await self.take(eio_sid, data)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        self.eio.stop_pinging(eio_sid)
        self.gone(eio_sid)


def server_for(origins: list[str], message_bytes_max: int) -> StrictServer:
    """The server of a hub."""
    quiet = logging.getLogger("bse_ws_hub.socketio")
    quiet.setLevel(logging.ERROR)  # a warning of the library is one a message
    return StrictServer(
        async_mode="asgi",
        client_manager=OneRoom(),
        logger=quiet,
        engineio_logger=quiet,
        # The guard refuses origins; this only says so to browsers.
        cors_allowed_origins=origins or ["none"],
        # The client learns that it is connected before the first event goes out.
        always_connect=True,
        max_http_buffer_size=message_bytes_max,
        ping_interval=20,
        ping_timeout=20,
    )
