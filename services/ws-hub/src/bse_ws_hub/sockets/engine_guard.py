"""Stands before python-engineio and lets through only what an Engine.IO 4 client may send.

python-engineio takes what comes on trust: a broken packet ends in a traceback and a session that nobody
closes. Here each request and each packet is looked at first; refusals are typed as in the Engine.IO protocol.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bse_ws_hub.sockets.direct_socket import EXTENSION, DirectSocket
from bse_ws_hub.sockets.engine_refusals import (
    BAD_METHOD,
    BAD_REQUEST,
    FORBIDDEN,
    OLD_PROTOCOL,
    SESSION_UNKNOWN,
    TOO_LARGE,
    TRANSPORT_UNKNOWN,
    Refusal,
    refuse,
)
from bse_ws_hub.sockets.packet_stream import PacketStream, is_packet


PATH = "/socket.io/"
PACKETS_PER_POST_MAX = 16
BODY_WITHIN_S = 5.0
SEPARATOR = "\x1e"


class EngineGuard:
    """The ASGI application before the Engine.IO server's.

    `admits`: why a session may not begin now, if so. `end`: end a session by its id. `direct`: the WebSockets of
    sessions that have one.
    """

    def __init__(
        self,
        app: ASGIApp,
        engine: Any,
        *,
        origin_allowed: Callable[[str | None], bool],
        admits: Callable[[Scope], Refusal | None],
        end: Callable[[str], Awaitable[None]],
        direct: dict[str, DirectSocket],
    ):
        self._app = app
        self._engine = engine
        self._origin_allowed = origin_allowed
        self._admits = admits
        self._end = end
        self._direct = direct
        self._polling: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then hand on."""
        if not f"{scope['path']}/".startswith(PATH):
            await self._app(scope, receive, send)
            return
        query = _query(scope)
        refusal = self._refusal(scope, query)
        if refusal is not None:
            await refuse(refusal, scope, send)
            return
        sid = query["sid"][0] if "sid" in query else ""
        if scope["type"] == "websocket":
            await self._websocket(sid, scope, receive, send)
        elif scope["method"] == "POST":
            await self._post(sid, scope, receive, send)
        elif sid:
            await self._poll(sid, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    # What may begin.

    def _refusal(self, scope: Scope, query: dict[str, list[str]]) -> Refusal | None:
        if not self._origin_allowed(_header(scope, b"origin")):
            return FORBIDDEN
        method = scope.get("method", "GET")
        if method == "OPTIONS":
            return None
        broken = _wrong_query(scope["type"], query)
        if broken is not None:
            return broken
        if method not in {"GET", "POST"}:
            return BAD_METHOD
        if "sid" in query:
            return self._no_way_on(scope, query["sid"][0])
        return BAD_METHOD if method == "POST" else self._admits(scope)

    def _no_way_on(self, scope: Scope, sid: str) -> Refusal | None:
        session = self._engine.sockets.get(sid)
        if session is None or session.closed or not session.connected:
            return SESSION_UNKNOWN
        if session.upgraded or (scope["type"] == "websocket" and session.upgrading):
            return BAD_REQUEST
        return None

    # Polling.

    async def _poll(self, sid: str, scope: Scope, receive: Receive, send: Send) -> None:
        """One poll at a time: of two, one would take what the other was meant to get."""
        if sid in self._polling:
            await refuse(BAD_REQUEST, scope, send)
            await self._end(sid)
            return
        self._polling.add(sid)
        try:
            await self._app(scope, receive, send)
        finally:
            self._polling.discard(sid)

    async def _post(self, sid: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _body(receive, self._engine.max_http_buffer_size)
        except TimeoutError:
            body = None
        if body is None or not _well_formed(body):
            await refuse(TOO_LARGE if body is None else BAD_REQUEST, scope, send)
            await self._end(sid)
            return
        if (gone := self._no_way_on(scope, sid)) is not None:
            await refuse(gone, scope, send)
            return
        length = (b"content-length", str(len(body)).encode())
        headers = [h for h in scope["headers"] if h[0] != b"content-length"]
        pending: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        session = self._engine.sockets[sid]
        await self._app({**scope, "headers": [*headers, length]}, replay, send)
        if session.closed:
            self._engine.sockets.pop(sid, None)
            session.queue.put_nowait(None)  # lets go of a poll that waits

    # WebSocket.

    async def _websocket(
        self, sid: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        socket: DirectSocket = scope["extensions"][EXTENSION]
        stream = PacketStream(socket, receive, upgrading=bool(sid))
        session = self._engine.sockets.get(sid)
        if session is None:
            await self._app(scope, stream.receive, send)
            return
        session.upgrading = True  # from here on, a second WebSocket is refused
        stream.on_upgraded = lambda: self._direct.__setitem__(sid, socket)
        try:
            await self._app(scope, stream.receive, send)
        finally:
            session.upgrading = (
                False  # python-engineio forgets it where the probe fails
            )


def _well_formed(body: bytes) -> bool:
    try:
        packets = body.decode().split(SEPARATOR)
    except UnicodeDecodeError:
        return False
    return len(packets) <= PACKETS_PER_POST_MAX and all(map(is_packet, packets))


async def _body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None where it is over the limit or the client is gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _wrong_query(kind: str, query: dict[str, list[str]]) -> Refusal | None:
    if query.get("EIO") != ["4"]:
        return OLD_PROTOCOL
    if query.get("transport") != ["websocket" if kind == "websocket" else "polling"]:
        return TRANSPORT_UNKNOWN
    # JSONP is off: it is a script from another origin.
    return BAD_REQUEST if "j" in query or len(query.get("sid", ())) > 1 else None


def _query(scope: Scope) -> dict[str, list[str]]:
    try:
        return parse_qs(
            scope["query_string"].decode("latin-1"),
            keep_blank_values=True,
            max_num_fields=16,
        )
    except ValueError:
        return {}


def _header(scope: Scope, name: bytes) -> str | None:
    values = [value for key, value in scope["headers"] if key.lower() == name]
    return ", ".join(v.decode("latin-1") for v in values) if values else None
