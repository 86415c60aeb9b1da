"""The HTTP server: one that says when it listens and can drop a connection (edge).

Signals end it with exit code 0, and requests that hang do not hold it up.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from bse_exchange_sim.simulator import TRANSPORT


_GRACE_S = 1
_BACKLOG = 1024


class DroppableConnection(H11Protocol):
    """Hands its transport to the application, which may abort it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the transport for the requests of this connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to its caller."""

    def __init__(self, app: FastAPI) -> None:
        """Configure the server for an application."""
        config = uvicorn.Config(
            app,
            http=DroppableConnection,
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        super().__init__(config)
        self.listening = asyncio.Event()
        self._release: Callable[[], None] = app.state.simulator.hanging.release_all

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.listening.set()

    def stop(self) -> None:
        """End the server; hanging requests are let go."""
        self._release()
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
