"""How the Engine.IO door refuses a request: the numbers of its protocol, as HTTP answers."""

import json
from typing import NamedTuple

from starlette.types import Scope, Send


class Refusal(NamedTuple):
    """An HTTP answer of Engine.IO's error format."""

    status: int
    code: int
    message: str
    retry_after_s: int | None = None


TRANSPORT_UNKNOWN = Refusal(400, 0, "Transport unknown")
SESSION_UNKNOWN = Refusal(400, 1, "Session ID unknown")
BAD_METHOD = Refusal(400, 2, "Bad handshake method")
BAD_REQUEST = Refusal(400, 3, "Bad request")
FORBIDDEN = Refusal(403, 4, "Forbidden")
OLD_PROTOCOL = Refusal(400, 5, "Unsupported protocol version")
TOO_LARGE = Refusal(413, 3, "Payload too large")
RATE_LIMITED = Refusal(429, 4, "Too many new connections")
BUSY = Refusal(503, 4, "Too many connections", retry_after_s=2)


async def refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    """Send it, instead of accepting a WebSocket or as the answer of a request."""
    kind = "websocket.http" if scope["type"] == "websocket" else "http"
    body = json.dumps({"code": refusal.code, "message": refusal.message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after_s))
    await send(
        {
            "type": f"{kind}.response.start",
            "status": refusal.status,
            "headers": headers,
        }
    )
    await send({"type": f"{kind}.response.body", "body": body})
