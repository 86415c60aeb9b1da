"""The whole product under load: the stand-in exchange changes every scrip every cycle; what does a client see?"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import msgpack
from redis.asyncio import Redis

from bse_fetcher.source_settings import BseSettings
from bse_local_stack.ports import free_ports
from bse_local_stack.stack import PORTS


WARM_UP_S = 12
MEASURE_S = 45
START_WITHIN_S = 60
UPDATE = 2


def latencies_ms() -> list[float]:
    """Received-by-fetcher to arrived-at-client, per update message, in milliseconds."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    with _stack(ports):
        return asyncio.run(_listen(ports))


@contextmanager
def _stack(ports: dict[str, int]) -> Iterator[None]:
    env = {
        **os.environ,
        **{PORTS[name][0]: str(port) for name, port in ports.items()},
        "SIM_ACTIVITY": "every_tick",
        "SOURCE": "sim",
    }
    env.pop("REDIS_URL", None)
    with subprocess.Popen(
        [sys.executable, "-m", "bse_local_stack", "run"],
        env=env,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


async def _listen(ports: dict[str, int]) -> list[float]:
    redis = Redis(port=ports["redis"])
    async with aiohttp.ClientSession() as session:
        await _ready(session, ports)
        await asyncio.sleep(WARM_UP_S)
        symbols = await _symbols(session, ports["exchange-sim"])
        offset_ms = await store_offset_ms(redis)
        found: list[float] = []
        async with session.ws_connect(
            f"ws://127.0.0.1:{ports['ws-hub']}/ws",
            protocols=["bse.v1.msgpack"],
            max_msg_size=0,
        ) as ws:
            for start in range(0, len(symbols), 1000):
                command = {"op": "subscribe", "symbols": symbols[start : start + 1000]}
                await ws.send_bytes(msgpack.packb(command))
            ends = time.monotonic() + MEASURE_S
            while time.monotonic() < ends:
                data = (await ws.receive(timeout=10)).data
                arrived_ms = time.monotonic() * 1000 + offset_ms
                message = msgpack.unpackb(data, strict_map_key=False)
                if isinstance(message, list) and message[0] == UPDATE:
                    found.append(arrived_ms - message[2])
    await redis.aclose()
    return found


async def _ready(session: aiohttp.ClientSession, ports: dict[str, int]) -> None:
    ends = time.monotonic() + START_WITHIN_S
    while time.monotonic() < ends:
        try:
            url = f"http://127.0.0.1:{ports['ws-hub']}/health"
            async with session.get(url) as answer:
                if (await answer.json()).get("quotes", 0) > 0:
                    return
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(0.2)
    raise RuntimeError(f"the stack was not ready after {START_WITHIN_S} s")


async def _symbols(session: aiohttp.ClientSession, sim_port: int) -> list[str]:
    """The codes of all scrips, as the exchange lists them."""
    url = f"http://127.0.0.1:{sim_port}/BseIndiaAPI/api/GetMktData/w"
    query = {"ordcol": "TT", "strType": "AllMkt", "strfilter": "All"}
    async with session.get(url, params=query, headers=BseSettings().headers) as answer:
        rows = (await answer.json(content_type=None))["Table"]
    return [str(row["scrip_cd"]) for row in rows]


async def store_offset_ms(redis: Redis) -> float:
    """Add it to monotonic milliseconds here, and get the time of the store."""
    best, offset_ms = float("inf"), 0.0
    for _ in range(20):
        sent = time.monotonic() * 1000
        seconds, microseconds = await redis.time()
        received = time.monotonic() * 1000
        if received - sent < best:
            best = received - sent
            offset_ms = seconds * 1000 + microseconds / 1000 - (sent + received) / 2
    return offset_ms
