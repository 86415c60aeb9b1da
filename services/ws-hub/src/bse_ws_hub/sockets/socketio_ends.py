"""How sessions of the Socket.IO door end: at once, in a while, or behind what is on its way."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from bse_ws_hub.hub.disconnects import BAD_MESSAGES, Disconnect
from bse_ws_hub.sockets.direct_socket import DirectSocket
from bse_ws_hub.sockets.strict_server import StrictServer
from bse_ws_hub.sockets.transports import ABORT_AFTER_S


@dataclass(slots=True)
class SessionEnds:
    """`carry_out_next` is a supervised loop's step. `direct`: the WebSockets of sessions that have one."""

    server: StrictServer
    direct: dict[str, DirectSocket]
    is_connected: Callable[[str], bool]
    _due: asyncio.Queue[Callable[[], Awaitable[None]]] = field(
        default_factory=asyncio.Queue
    )

    async def carry_out_next(self) -> None:
        """Carry out the next closing that was decided."""
        end = await self._due.get()
        await end()
        self._due.task_done()

    async def all_carried_out(self) -> None:
        """Return when nothing that was decided is left to do."""
        await self._due.join()

    def end(
        self, eio_sid: str, why: Disconnect, written_to: DirectSocket | None = None
    ) -> None:
        """End it soon, behind what is on its way; cut it if that is not read.

        A disconnect packet tells official clients to stay away, and so does Engine.IO's own close packet to some; the end
        of the transport tells all to come back. `written_to`: the socket that is written to without the queue.
        """
        self._due.put_nowait(partial(self._end, eio_sid, why, written_to))

    def cut_later(
        self, eio_sid: str, delay_s: float, *, unless_connected: bool = False
    ) -> None:
        """End it then, unless it ended by itself, or has connected."""

        def cut() -> None:
            if not (unless_connected and self.is_connected(eio_sid)):
                self._due.put_nowait(partial(self.cut, eio_sid))

        asyncio.get_running_loop().call_later(delay_s, cut)

    async def cut(self, eio_sid: str, why: Disconnect = BAD_MESSAGES) -> None:
        """End a session now, whatever its transport, and whether the client reads or not."""
        socket = self.direct.get(eio_sid)
        if socket is not None:
            socket.close(why.code, why.reason)
        session = self.server.eio.sockets.pop(eio_sid, None)
        if session is not None:
            await session.close(wait=False, abort=True)
            session.queue.put_nowait(None)  # lets go of who polls or writes

    async def _end(
        self, eio_sid: str, why: Disconnect, written_to: DirectSocket | None
    ) -> None:
        with suppress(KeyError):  # the client may have gone by itself
            if why.reconnect:
                await self.server._handle_disconnect(eio_sid, "/")  # noqa: SLF001 - its own subclass
            else:
                sid = self.server.manager.sid_from_eio_sid(eio_sid, "/")
                await self.server.disconnect(sid)
        session = self.server.eio.sockets.get(eio_sid)
        if session is not None and why.reconnect:
            if written_to is not None:
                written_to.close(why.code, why.reason)
            else:
                session.queue.put_nowait(None)  # the end of what is to be sent
        self.cut_later(eio_sid, ABORT_AFTER_S)
