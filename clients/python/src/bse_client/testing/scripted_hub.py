"""A real WebSocket server on a free port that says what a test tells it to say."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Self

import msgpack
from aiohttp import WSMsgType, web

from bse_client.answers import CommandId, HeartbeatGranted, Subscription
from bse_client.messages import Message
from bse_client.testing.builders import RELIANCE, TCS, subscribed, welcome
from bse_client.testing.encoding import to_json, to_msgpack
from bse_client.wire import SUBPROTOCOLS


SYMBOLS = {item.code: item.symbol for item in (RELIANCE, TCS)}


class HubSide:
    """The hub's end of one connection."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request):
        self.query = dict(request.query)
        self.authorization = request.headers.get("Authorization")
        self.symbols = dict(SYMBOLS)
        self.heartbeats: list[dict[str, object]] = []
        self.closed = asyncio.Event()
        self.commands: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self._socket = socket

    @property
    def close_code(self) -> int | None:
        """The code that the connection was closed with."""
        return self._socket.close_code

    async def send(self, *messages: Message) -> None:
        """Say something, in the encoding that the client chose."""
        for message in messages:
            if self._socket.ws_protocol == SUBPROTOCOLS["msgpack"]:
                await self._socket.send_bytes(to_msgpack(message))
            else:
                await self._socket.send_str(to_json(message, self.symbols))

    async def send_frame(self, frame: str | bytes) -> None:
        """Send anything at all."""
        if isinstance(frame, str):
            await self._socket.send_str(frame)
        else:
            await self._socket.send_bytes(frame)

    async def command(self) -> dict[str, object]:
        """The next command of the client."""
        return await self.commands.get()

    async def answer(
        self, answer: Callable[[CommandId | None], Message]
    ) -> dict[str, object]:
        """Take a command and answer it with what is made for its id."""
        command = await self.command()
        await self.send(answer(command_id(command)))
        return command

    async def accept(self, *symbols: Subscription) -> dict[str, object]:
        """Take a subscribe command and answer with this set."""
        command = await self.command()
        await self.send(subscribed(*symbols, answers=command_id(command)))
        return command

    async def close(self, code: int = 1001, reason: str = "") -> None:
        """Close the connection."""
        await self._socket.close(code=code, message=reason.encode())

    async def listen(self) -> None:
        """Collect the client's commands until the connection ends; heartbeats are granted as asked."""
        async for frame in self._socket:
            is_text = frame.type is WSMsgType.TEXT
            command = json.loads(frame.data) if is_text else msgpack.unpackb(frame.data)
            if command["op"] == "heartbeat":
                await self._grant(command)
            else:
                self.commands.put_nowait(command)
        self.closed.set()

    async def _grant(self, command: dict[str, Any]) -> None:
        self.heartbeats.append(command)
        interval_ms, digest = command["interval_ms"], command["digest"]
        await self.send(HeartbeatGranted(command["id"], interval_ms, digest))


def command_id(command: Mapping[str, object]) -> CommandId | None:
    """The id that an answer to this command carries."""
    found = command.get("id")
    return found if isinstance(found, int | str) else None


class ScriptedHub:
    """`async with ScriptedHub() as hub`: connect to `hub.url`, then take `await hub.connection()`.

    greets: whether each connection is welcomed at once. refusals: HTTP answers for the next attempts.
    """

    def __init__(self, *, greets: bool = True):
        self.greets = greets
        self.refusals: list[web.Response] = []
        self.url = ""
        self._connections: asyncio.Queue[HubSide] = asyncio.Queue()
        self._sockets: set[web.WebSocketResponse] = set()
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def connection(self) -> HubSide:
        """The next connection that a client opened."""
        return await self._connections.get()

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"ws://127.0.0.1:{port}/ws"
        return self

    async def __aexit__(self, *_error: object) -> None:
        for socket in tuple(self._sockets):
            await socket.close(code=1001)
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.refusals:
            return self.refusals.pop(0)
        socket = web.WebSocketResponse(
            protocols=tuple(SUBPROTOCOLS.values()), timeout=0.1
        )
        await socket.prepare(request)
        self._sockets.add(socket)
        side = HubSide(socket, request)
        if self.greets:
            await side.send(welcome())
        self._connections.put_nowait(side)
        try:
            await side.listen()
        finally:
            self._sockets.discard(socket)
        return socket
