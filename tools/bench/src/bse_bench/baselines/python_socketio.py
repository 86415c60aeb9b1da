"""Baseline: python-socketio's `emit` to a room, under uvicorn with uvloop, as its documentation shows it."""

import asyncio
import socket
from typing import Any

import socketio
import uvicorn
import uvloop

from bse_bench.baselines.orders import obey


ROOM = "market"

server = socketio.AsyncServer(
    async_mode="asgi", cors_allowed_origins="*", ping_interval=60, ping_timeout=60
)


@server.event  # type: ignore[untyped-decorator]
async def subscribe(sid: str, rooms: list[str]) -> int:
    """Join the room that everybody is in."""
    await server.enter_room(sid, ROOM)
    return len(rooms)


async def emit(_: int, payload: str) -> None:
    """One tick."""
    await server.emit("u", payload, room=ROOM)


async def main() -> None:
    """Serve until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    app: Any = socketio.ASGIApp(server)
    config = uvicorn.Config(app, log_level="error", lifespan="off", backlog=4096)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(uvicorn.Server(config).serve([listener]))
        print(listener.getsockname()[1], flush=True)
        await obey(emit)
        serving.cancel()


if __name__ == "__main__":
    uvloop.run(main())
