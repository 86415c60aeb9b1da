"""One WebSocket connection: frames to messages, commands to frames, answers to those who wait for them."""

import asyncio
import itertools
import os
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp

from bse_client.answers import Answer, CommandId, HubError
from bse_client.close_codes import Ending, reason_of
from bse_client.commands import Asked
from bse_client.errors import BseClientError, CommandRefused, MalformedMessage
from bse_client.messages import Goodbye, Message
from bse_client.wire import SUBPROTOCOLS, Encoding, decode, encode


FRAME_MAX_BYTES = 16 << 20
DEFLATE_WINDOW_BITS = 15
CLOSING_S = 1.0
"""How long to wait for the hub's half of a closing handshake."""

_MALFORMED = 1007


class LinkLost(BseClientError):
    """The connection ended before the answer came."""


class ConnectFailed(BseClientError):
    """An attempt to connect failed. status: the HTTP status of the answer, if there was one."""

    def __init__(
        self, reason: str, status: int | None = None, retry_after_s: int | None = None
    ):
        super().__init__(reason)
        self.status = status
        self.retry_after_s = retry_after_s


class _Waiting(NamedTuple):
    asked: Asked
    answer: asyncio.Future[Answer]


async def connect(
    http: aiohttp.ClientSession,
    url: str,
    encoding: Encoding,
    *,
    query: Mapping[str, str],
    token: str | None = None,
    compress: bool = False,
) -> "Link":
    """Open a connection, or raise ConnectFailed."""
    try:
        socket = await http.ws_connect(
            url,
            protocols=(SUBPROTOCOLS[encoding],),
            params=query or None,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING_S),
            max_msg_size=FRAME_MAX_BYTES,
            compress=DEFLATE_WINDOW_BITS if compress else 0,
        )
    except aiohttp.WSServerHandshakeError as refused:
        said = refused.headers.get("Retry-After", "") if refused.headers else ""
        raise ConnectFailed(
            f"the server answered with HTTP status {refused.status}",
            refused.status,
            int(said) if said.isdecimal() else None,
        ) from refused
    except (aiohttp.ClientError, OSError) as problem:
        raise ConnectFailed(_in_words(problem)) from problem
    return Link(socket)


def _in_words(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientConnectorError) and problem.os_error.errno:
        return os.strerror(problem.os_error.errno)
    return str(problem) or type(problem).__name__


class Link:
    """An open connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse):
        self._socket = socket
        is_msgpack = socket.protocol == SUBPROTOCOLS["msgpack"]
        self._encoding: Encoding = "msgpack" if is_msgpack else "json"
        self._ids = itertools.count(1)
        self._waiting: dict[CommandId, _Waiting] = {}
        self._goodbye: Goodbye | None = None

    async def receive(self) -> Message | Ending:
        """The next message, or how the connection ended."""
        frame = await self._socket.receive()
        if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            said = frame.extra if frame.type is aiohttp.WSMsgType.CLOSE else None
            return self._ending(said)
        try:
            message = decode(frame.data)
        except MalformedMessage as problem:
            await self._socket.close(code=_MALFORMED)
            return Ending(f"malformed message: {problem}")
        if isinstance(message, Goodbye):
            self._goodbye = message
        return message

    def settle(self, message: Message) -> Asked | None:
        """Hand an answer to the one who waits for it; what was asked, if we asked."""
        command_id = getattr(message, "id", None)
        waiting = None if command_id is None else self._waiting.pop(command_id, None)
        if waiting is None:
            return None
        if not waiting.answer.done():
            waiting.answer.set_result(message)  # type: ignore[arg-type]  # it has an id
        return waiting.asked

    async def ask(self, asked: Asked) -> Answer:
        """Send a command and wait for its answer; CommandRefused if that is an error."""
        answer = await (await self._send(asked))
        if isinstance(answer, HubError):
            raise CommandRefused(answer.reason, answer.message)
        return answer

    async def tell(self, asked: Asked) -> None:
        """Send a command; nobody waits for its answer."""
        (await self._send(asked)).cancel()

    async def close(self) -> None:
        """Close the connection, and fail everybody who waits."""
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(LinkLost())
        self._waiting.clear()
        await self._socket.close()

    async def _send(self, asked: Asked) -> asyncio.Future[Answer]:
        command_id = next(self._ids)
        frame = encode(asked.members(command_id), self._encoding)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[command_id] = _Waiting(asked, answer)
        try:
            await (
                self._socket.send_str(frame)
                if isinstance(frame, str)
                else self._socket.send_bytes(frame)
            )
        except (aiohttp.ClientError, OSError) as problem:
            self._waiting.pop(command_id, None)
            raise LinkLost(str(problem)) from problem
        return answer

    def _ending(self, said: str | None) -> Ending:
        code, goodbye = self._socket.close_code, self._goodbye
        if goodbye is None:
            return Ending(reason_of(code, said), code)
        return Ending(
            goodbye.reason or reason_of(code, said),
            code,
            goodbye.reconnect,
            goodbye.after_ms,
        )
