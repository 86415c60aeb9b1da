"""What `make smoke` asks of the product as a whole."""

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp

from bse_local_stack.checks.doors import (
    CHANGE_WITHIN_S,
    CheckFailed,
    Doors,
    hold,
    json_until,
)


READY_WITHIN_S = 30
STALE_WITHIN_S = 8.5


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
    await doors.until("gateway", "/api/stock/RELIANCE", bool, READY_WITHIN_S)
    return "fetcher, gateway, ws-hub, monitor"


async def health(doors: Doors) -> str:
    """GET /health of every service."""
    names = ("fetcher", "gateway", "ws-hub", "monitor")
    states = [(await doors.get(name, "/health"))["status"] for name in names]
    hold(set(states) == {"ok"}, f"{dict(zip(names, states, strict=True))}")
    return "all ok"


async def metrics(doors: Doors) -> str:
    """Prometheus metrics of every service."""
    names = ("fetcher", "gateway", "ws-hub", "monitor")
    texts = [await doors.get(name, "/metrics") for name in names]
    hold(
        all("loop_steps_total" in text for text in texts), "loop_steps_total is missing"
    )
    return f"{sum(text.count('# HELP') for text in texts)} metrics"


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
    hold(process.returncode == 0, f"exit {process.returncode}: {out[-300:]!r}")
    quotes = [json.loads(line) for line in out.splitlines()]
    hold({q.get("symbol") for q in quotes} >= {"RELIANCE", "TCS"}, f"{out[:300]!r}")
    return f"{len(quotes)} quotes"


async def outage(doors: Doors) -> str:
    """The exchange goes down: prices turn stale at every door in time, and live again when it is back."""
    sim = doors.stack.url("exchange-sim")
    url = doors.stack.url("ws-hub", "ws") + "/ws"
    async with doors.http.ws_connect(url) as ws:
        await ws.send_json({"op": "subscribe", "symbols": ["RELIANCE"]})
        await json_until(ws, "image")
        async with doors.http.post(f"{sim}/admin/faults", json={"kind": "down"}):
            started = time.monotonic()
        told = await json_until(ws, "quality")
        stale_s = time.monotonic() - started
        quality = (await doors.get("gateway", "/api/stock/RELIANCE"))["quality"]
        async with doors.http.delete(f"{sim}/admin/faults"):
            healed = time.monotonic()
        again = await json_until(ws, "quality")
        live_s = time.monotonic() - healed
    hold(told["quotes"][0]["quality"] == "stale" == quality, f"{told}, REST {quality}")
    hold(stale_s < STALE_WITHIN_S, f"stale only after {stale_s:.1f} s")
    hold(again["quotes"][0]["quality"] == "live", str(again))
    return f"stale {stale_s:.1f} s after, live {live_s:.1f} s after it was back"
