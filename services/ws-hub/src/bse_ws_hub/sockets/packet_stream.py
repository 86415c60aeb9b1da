"""The packets of one Engine.IO WebSocket, each looked at before python-engineio sees it."""

import asyncio
from collections.abc import Callable

from starlette.types import Message, Receive

from bse_ws_hub.sockets.direct_socket import DirectSocket


UPGRADE_WITHIN_S = 10.0

_CLOSE, _PONG, _MESSAGE = "1", "3", "4"


class PacketStream:
    """The packets of one WebSocket; a broken one looks to python-engineio like the end of the connection."""

    def __init__(self, socket: DirectSocket, receive: Receive, *, upgrading: bool):
        self.on_upgraded: Callable[[], None] = lambda: None
        self._socket = socket
        self._receive = receive
        self._awaited = ["2probe", "5"] if upgrading else []
        self._closed = False

    async def receive(self) -> Message:
        """The next message that python-engineio may see."""
        if self._closed:
            return self._refuse(1000, "closed")
        if not self._awaited:
            message = await self._receive()
        else:
            try:
                async with asyncio.timeout(UPGRADE_WITHIN_S):
                    message = await self._receive()
            except TimeoutError:
                return self._refuse(1002, "no upgrade")
        if message["type"] != "websocket.receive" or self._allowed(message):
            return message
        return self._refuse(1002, "not an Engine.IO packet")

    def _allowed(self, message: Message) -> bool:
        text = message.get("text")
        if self._awaited:
            expected = text == self._awaited.pop(0)
            if expected and not self._awaited:
                self.on_upgraded()
            return expected
        if text is None:
            return True  # an attachment: the door answers that it takes none
        self._closed = text == _CLOSE
        return is_packet(text)

    def _refuse(self, code: int, reason: str) -> Message:
        self._socket.close(code, reason)
        return {"type": "websocket.disconnect", "code": code, "reason": reason}


def is_packet(text: str) -> bool:
    """Close, pong, or a message that begins with a Socket.IO type: then it is not read as JSON too early."""
    return text in {_CLOSE, _PONG} or (
        text[:1] == _MESSAGE and text[1:2] in set("0123456")
    )
