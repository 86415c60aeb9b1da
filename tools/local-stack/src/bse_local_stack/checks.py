"""What `make smoke` asks of each door. A check gives a short text of what it saw, or raises CheckFailed."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgpack
import socketio

from bse_local_stack.stack import Stack


READY_WITHIN_S = 30
CHANGE_WITHIN_S = 15
STALE_WITHIN_S = 8.5
SYMBOLS = ["RELIANCE", "532540", "ine009a01021"]
CODES = {500325, 532540, 500209}
IMAGE, UPDATE = 1, 2
REVOKED = 4502
DEMO_KEY = "bsq_demo_demo0000_demodemodemodemodemodemodemodemo_cbda634e"


class CheckFailed(Exception):
    """The door did not do what it should."""


class Doors:
    """The running product as a stranger reaches it."""

    def __init__(self, stack: Stack, http: aiohttp.ClientSession):
        self.stack = stack
        self.http = http

    async def get(self, name: str, path: str, status: int = 200) -> Any:
        """The JSON (or text) at a path, which must answer with this status."""
        async with self.http.get(self.stack.url(name) + path) as answer:
            if answer.status != status:
                raise CheckFailed(
                    f"{path}: HTTP {answer.status}: {(await answer.text())[:200]}"
                )
            if "json" in answer.content_type:
                return await answer.json(content_type=None)
            return await answer.text()


async def ready(doors: Doors) -> str:
    """All services say that they are ready."""
    waiting = ["fetcher", "gateway", "ws-hub", "monitor"]
    ends = time.monotonic() + READY_WITHIN_S
    while waiting:
        if time.monotonic() > ends:
            raise CheckFailed(f"not after {READY_WITHIN_S} s: {', '.join(waiting)}")
        try:
            await doors.get(waiting[0], "/readyz")
            waiting.pop(0)
        except (CheckFailed, aiohttp.ClientError, OSError):
            await asyncio.sleep(0.1)
    await _until(doors, "gateway", "/api/stock/RELIANCE", READY_WITHIN_S)
    return "fetcher, gateway, ws-hub, monitor"


async def quote(doors: Doors) -> str:
    """Symbol, code and ISIN in any case mean the same scrip, and its price is live."""
    found = [
        await doors.get("gateway", f"/api/stock/{name}")
        for name in ("reliance", "500325", "INE002A01018")
    ]
    _hold({q["code"] for q in found} == {500325}, f"{found}")
    _hold(found[0]["quality"] == "live", f"quality {found[0]['quality']}")
    return f"RELIANCE {found[0]['last']} {found[0]['quality']}, {found[0]['age_ms']} ms old"


async def batch(doors: Doors) -> str:
    """Good and bad symbols in one call."""
    found = await doors.get("gateway", "/api/stocks/batch?symbols=RELIANCE,TCS,NOPE")
    _hold(len(found["quotes"]) == 2, str(found)[:200])  # noqa: PLR2004 - the two that exist
    _hold(found["errors"][0]["reason"] == "unknown_symbol", str(found["errors"]))
    return "2 quotes, 1 error named"


async def problem(doors: Doors) -> str:
    """An unknown symbol is a typed problem."""
    async with doors.http.get(doors.stack.url("gateway") + "/api/stock/NOPE") as answer:
        body = await answer.json(content_type=None)
        _hold(answer.status == 404, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
        _hold(answer.content_type == "application/problem+json", answer.content_type)
    return str(body["title"])


async def market(doors: Doors) -> str:
    """The market's status."""
    found = await doors.get("gateway", "/api/market/status")
    return f"{found['session']['phase']}, feed {found['feed']['state']}"


async def health(doors: Doors) -> str:
    """GET /health of every service."""
    names = ("fetcher", "gateway", "ws-hub", "monitor")
    states = [(await doors.get(name, "/health"))["status"] for name in names]
    _hold(set(states) == {"ok"}, f"{dict(zip(names, states, strict=True))}")
    return "all ok"


async def metrics(doors: Doors) -> str:
    """Prometheus metrics of every service."""
    names = ("fetcher", "gateway", "ws-hub", "monitor")
    texts = [await doors.get(name, "/metrics") for name in names]
    _hold(
        all("loop_steps_total" in text for text in texts), "loop_steps_total is missing"
    )
    return f"{sum(text.count('# HELP') for text in texts)} metrics"


async def stored_set(doors: Doors) -> str:
    """POST /api/subscribe prepares a stream that starts by itself."""
    body = {"client_id": "smoke", "symbols": SYMBOLS, "mode": "ltp"}
    url = doors.stack.url("gateway") + "/api/subscribe"
    async with doors.http.post(url, json=body) as answer:
        _hold(answer.status == 200, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
        stream = (await answer.json())["stream"]["websocket"]
    async with doors.http.ws_connect(stream) as ws:
        image = await _json_until(ws, "image")
    _hold({q["code"] for q in image["quotes"]} == CODES, str(image)[:200])
    return f"{stream} gave {len(CODES)} images"


async def raw_json(doors: Doors) -> str:
    """Raw WebSocket, JSON: subscribe, image, update, heartbeat, typed rejection."""
    url = doors.stack.url("ws-hub", "ws") + "/ws"
    async with doors.http.ws_connect(url, protocols=["bse.v1.json"]) as ws:
        await ws.send_json({"op": "subscribe", "symbols": [*SYMBOLS, "NOPE"]})
        answer = await _json_until(ws, "subscribed")
        _hold(answer["rejected"][0]["reason"] == "unknown_symbol", str(answer))
        image = await _json_until(ws, "image")
        update = await _json_until(ws, "update")
        beat = await _json_until(ws, "heartbeat")
    _hold({q["code"] for q in image["quotes"]} == CODES, str(image)[:200])
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
        _hold(len(answer["symbols"]) == len(CODES), str(answer))
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
        _hold(answer.status == 200, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
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
        _hold(answer.status == 200, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
        token = (await answer.json())["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    asked = {"symbols": ["TCS"]}
    url = f"{gateway}/api/subscribe"
    async with doors.http.post(url, json=asked, headers=bearer) as answer:
        ticket = (await answer.json())["ticket"]
    async with doors.http.ws_connect(f"{stream}/ws?ticket={ticket}") as ws:
        welcome = await _json_until(ws, "welcome")
        await _json_until(ws, "image")
        again = await _status_of_upgrade(doors, f"{stream}/ws?ticket={ticket}")
        _hold(again == 401, f"the ticket again: HTTP {again}")  # noqa: PLR2004 - HTTP
        revoked = {"token": token}
        started = time.monotonic()
        async with doors.http.post(f"{gateway}/api/auth/revoke", json=revoked):
            await _json_until(ws, "goodbye")
        took_ms = (time.monotonic() - started) * 1000
        await ws.receive()
        _hold(ws.close_code == REVOKED, f"close code {ws.close_code}")
    role = welcome["identity"]["role"]
    return f"{role} by ticket, once; closed {took_ms:.0f} ms after the revocation"


async def status(doors: Doors) -> str:
    """The monitor sees everybody."""

    async def all_ok() -> str:
        text = str(await doors.get("monitor", "/status/summary")).strip()
        return text if text.startswith("ok") else ""

    ends = time.monotonic() + CHANGE_WITHIN_S
    while not (text := await all_ok()):
        if time.monotonic() > ends:
            text = str(await doors.get("monitor", "/status/summary"))
            raise CheckFailed(text.strip())
        await asyncio.sleep(0.2)
    return text


async def watch(doors: Doors) -> str:
    """The terminal client."""
    command = Path(sys.executable).parent / "bse-watch"
    url = doors.stack.url("ws-hub", "ws") + "/ws"
    process = await asyncio.create_subprocess_exec(
        *(str(command), "RELIANCE", "TCS", "--once", "--json", "--url", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), CHANGE_WITHIN_S)
    _hold(process.returncode == 0, f"exit {process.returncode}: {out[-300:]!r}")
    quotes = [json.loads(line) for line in out.splitlines()]
    _hold({q.get("symbol") for q in quotes} >= {"RELIANCE", "TCS"}, f"{out[:300]!r}")
    return f"{len(quotes)} quotes"


async def outage(doors: Doors) -> str:
    """The exchange goes down: prices turn stale at every door in time, and live again when it is back."""
    sim = doors.stack.url("exchange-sim")
    url = doors.stack.url("ws-hub", "ws") + "/ws"
    async with doors.http.ws_connect(url) as ws:
        await ws.send_json({"op": "subscribe", "symbols": ["RELIANCE"]})
        await _json_until(ws, "image")
        async with doors.http.post(f"{sim}/admin/faults", json={"kind": "down"}):
            started = time.monotonic()
        told = await _json_until(ws, "quality")
        stale_s = time.monotonic() - started
        quality = (await doors.get("gateway", "/api/stock/RELIANCE"))["quality"]
        async with doors.http.delete(f"{sim}/admin/faults"):
            healed = time.monotonic()
        again = await _json_until(ws, "quality")
        live_s = time.monotonic() - healed
    _hold(told["quotes"][0]["quality"] == "stale" == quality, f"{told}, REST {quality}")
    _hold(stale_s < STALE_WITHIN_S, f"stale only after {stale_s:.1f} s")
    _hold(again["quotes"][0]["quality"] == "live", str(again))
    return f"stale {stale_s:.1f} s after, live {live_s:.1f} s after it was back"


CHECKS: list[tuple[str, Callable[[Doors], Awaitable[str]]]] = [
    ("all services ready", ready),
    ("GET /api/stock/{symbol}", quote),
    ("GET /api/stocks/batch", batch),
    ("unknown symbol: problem 404", problem),
    ("GET /api/market/status", market),
    ("GET /health everywhere", health),
    ("GET /metrics everywhere", metrics),
    ("POST /api/subscribe", stored_set),
    ("WebSocket, JSON", raw_json),
    ("WebSocket, MessagePack", raw_msgpack),
    ("Socket.IO", socket_io),
    ("Server-Sent Events", sse),
    ("stream ticket, revocation", revocation),
    ("monitor /status", status),
    ("bse-watch", watch),
    ("exchange down and back", outage),
]


async def _status_of_upgrade(doors: Doors, url: str) -> int:
    """The HTTP status of a WebSocket handshake that is refused; 101 where it is not."""
    try:
        async with doors.http.ws_connect(url):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


def _hold(condition: bool, otherwise: str) -> None:
    if not condition:
        raise CheckFailed(otherwise)


async def _until(doors: Doors, name: str, path: str, within_s: float) -> None:
    ends = time.monotonic() + within_s
    while True:
        try:
            await doors.get(name, path)
        except CheckFailed:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(0.1)
        else:
            return


async def _json_until(ws: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    ends = time.monotonic() + CHANGE_WITHIN_S
    while time.monotonic() < ends:
        message = await ws.receive_json(timeout=CHANGE_WITHIN_S)
        if message["type"] == kind:
            return message
    raise CheckFailed(f"no {kind!r} message in {CHANGE_WITHIN_S} s")
