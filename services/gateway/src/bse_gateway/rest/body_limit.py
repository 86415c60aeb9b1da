"""Refuses a request body above the limit as it is read, whatever the client declared (pure ASGI)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bse_gateway.rest.problems import Kind, Problem


class BodyLimit:
    """Routes that read no body are not touched: the server drops what they leave."""

    def __init__(self, app: ASGIApp, bytes_max: int):
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._bytes_max:
                raise Problem(
                    Kind.BODY_TOO_LARGE,
                    f"A body has at most {self._bytes_max} bytes.",
                    limit=self._bytes_max,
                )
            return message

        await self._app(scope, limited, send)
