"""Refuses a request body above the limit as it is read, whatever the client declared, and one that drips (pure ASGI)."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bse_gateway.rest.problems import Kind, Problem


class BodyLimit:
    """Routes that read no body are not touched: the server drops what they leave."""

    def __init__(self, app: ASGIApp, bytes_max: int, within_s: float):
        self._app = app
        self._bytes_max = bytes_max
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        seen = 0
        is_whole = False
        ends_at_s = asyncio.get_running_loop().time() + self._within_s

        async def limited() -> Message:
            nonlocal seen, is_whole
            if is_whole:  # all that may come now is the end of the connection
                return await receive()
            try:
                async with asyncio.timeout_at(ends_at_s):
                    message = await receive()
            except TimeoutError:
                raise Problem(
                    Kind.TOO_SLOW,
                    f"A body arrives within {self._within_s:g} s.",
                    headers={"Connection": "close"},
                ) from None
            is_whole = not message.get("more_body", False)
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise Problem(
                    Kind.BODY_TOO_LARGE,
                    f"A body has at most {self._bytes_max} bytes.",
                    limit=self._bytes_max,
                )
            return message

        await self._app(scope, limited, send)
