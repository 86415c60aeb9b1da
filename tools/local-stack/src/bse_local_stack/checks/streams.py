"""What `make smoke` asks of the streams."""

import asyncio
import time
from contextlib import suppress

import aiohttp
import msgpack
import socketio

from bse_local_stack.checks.doors import (
    CHANGE_WITHIN_S,
    Doors,
    hold,
    json_until,
)
from bse_local_stack.checks.quotes import CODES, SYMBOLS


IMAGE, UPDATE = 1, 2
REVOKED = 4502
DEMO_KEY = "bsq_demo_demo0000_demodemodemodemodemodemodemodemo_cbda634e"


async def stored_set(doors: Doors) -> str:
    """POST /api/subscribe prepares a stream that starts by itself."""
    body = {"client_id": "smoke", "symbols": SYMBOLS, "mode": "ltp"}
    url = doors.stack.url("gateway") + "/api/subscribe"
    async with doors.http.post(url, json=body) as answer:
        hold(answer.status == 200, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
        stream = (await answer.json())["stream"]["websocket"]
    async with doors.http.ws_connect(stream) as ws:
        image = await json_until(ws, "image")
    hold({q["code"] for q in image["quotes"]} == CODES, str(image)[:200])
    return f"{stream} gave {len(CODES)} images"


async def raw_json(doors: Doors) -> str:
    """Raw WebSocket, JSON: subscribe, image, update, heartbeat, typed rejection."""
    url = doors.stack.url("ws-hub", "ws") + "/ws"
    async with doors.http.ws_connect(url, protocols=["bse.v1.json"]) as ws:
        await ws.send_json({"op": "subscribe", "symbols": [*SYMBOLS, "NOPE"]})
        answer = await json_until(ws, "subscribed")
        hold(answer["rejected"][0]["reason"] == "unknown_symbol", str(answer))
        image = await json_until(ws, "image")
        update = await json_until(ws, "update")
        beat = await json_until(ws, "heartbeat")
    hold({q["code"] for q in image["quotes"]} == CODES, str(image)[:200])
    latency_ms = update["sent_at_ms"] - update["received_at_ms"]
    return (
        f"image, update {latency_ms} ms after the fetch, feed {beat['feed']['state']}"
    )


async def raw_msgpack(doors: Doors) -> str:
    """Raw WebSocket, MessagePack."""
    url = doors.stack.url("ws-hub", "ws") + "/ws"
    kinds: set[int] = set()
    async with doors.http.ws_connect(url, protocols=["bse.v1.msgpack"]) as ws:
        await ws.send_bytes(msgpack.packb({"op": "subscribe", "symbols": SYMBOLS}))
        while not {IMAGE, UPDATE} <= kinds:
            data = (await ws.receive(timeout=CHANGE_WITHIN_S)).data
            message = msgpack.unpackb(data, strict_map_key=False)
            if isinstance(message, list):
                kinds.add(message[0])
    return "image and update"


async def socket_io(doors: Doors) -> str:
    """Socket.IO with the Python client, by WebSocket and by long polling."""
    for transport in ("websocket", "polling"):
        client = socketio.AsyncSimpleClient(reconnection=False, http_session=doors.http)
        await client.connect(doors.stack.url("ws-hub"), transports=[transport])
        answer = await client.call("subscribe", {"symbols": SYMBOLS})
        hold(len(answer["symbols"]) == len(CODES), str(answer))
        seen: set[str] = set()
        while not {"image", "update"} <= seen:
            event, *_ = await client.receive(timeout=CHANGE_WITHIN_S)
            seen.add(event)
        with suppress(TimeoutError):  # a polling client waits for its last poll
            await asyncio.wait_for(client.disconnect(), 1)
    return "image and update by websocket and polling"


async def sse(doors: Doors) -> str:
    """Server-Sent Events, as curl sees them."""
    url = doors.stack.url("ws-hub") + "/sse?symbols=RELIANCE,TCS&mode=ltp"
    seen: set[str] = set()
    answer = await doors.http.get(url)
    try:
        hold(answer.status == 200, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
        async with asyncio.timeout(CHANGE_WITHIN_S):
            while not {"image", "update", "heartbeat"} <= seen:
                line = (await answer.content.readline()).decode()
                if line.startswith("event: "):
                    seen.add(line.removeprefix("event: ").strip())
    finally:
        answer.close()
    return "image, update and heartbeat"


async def revocation(doors: Doors) -> str:
    """A ticket opens a stream once, and a revoked token's stream is closed."""
    gateway, stream = doors.stack.url("gateway"), doors.stack.url("ws-hub", "ws")
    key = {"X-API-Key": DEMO_KEY}
    async with doors.http.post(f"{gateway}/api/auth/token", headers=key) as answer:
        hold(answer.status == 200, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
        token = (await answer.json())["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    asked = {"symbols": ["TCS"]}
    url = f"{gateway}/api/subscribe"
    async with doors.http.post(url, json=asked, headers=bearer) as answer:
        ticket = (await answer.json())["ticket"]
    async with doors.http.ws_connect(f"{stream}/ws?ticket={ticket}") as ws:
        welcome = await json_until(ws, "welcome")
        await json_until(ws, "image")
        again = await _status_of_upgrade(doors, f"{stream}/ws?ticket={ticket}")
        hold(again == 401, f"the ticket again: HTTP {again}")  # noqa: PLR2004 - HTTP
        revoked = {"token": token}
        started = time.monotonic()
        async with doors.http.post(f"{gateway}/api/auth/revoke", json=revoked):
            await json_until(ws, "goodbye")
        took_ms = (time.monotonic() - started) * 1000
        await ws.receive()
        hold(ws.close_code == REVOKED, f"close code {ws.close_code}")
    role = welcome["identity"]["role"]
    return f"{role} by ticket, once; closed {took_ms:.0f} ms after the revocation"


async def _status_of_upgrade(doors: Doors, url: str) -> int:
    """The HTTP status of a WebSocket handshake that is refused; 101 where it is not."""
    try:
        async with doors.http.ws_connect(url):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status
