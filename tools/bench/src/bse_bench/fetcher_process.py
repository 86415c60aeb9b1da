"""The fetcher as a process, between a stand-in exchange and a real server: pace, memory, delay, recovery, sharing."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from redis.asyncio import Redis

from bse_bench.end_to_end import store_offset_ms
from bse_bench.machine import Machine, Used
from bse_bench.report import Row, absent, at_most, percentile
from bse_local_stack.ports import free_ports
from bse_shared.redis_edge import keys
from bse_shared.wire.bus import unpack_frame


Condition = Callable[[], Awaitable[bool]]

SHARDS = 8
MEASURE_S = 60.0
OUTAGE_S = 20.0
WARM_UP_S = 10.0
WAIT_MAX_S = 30.0
MARKET_REQUESTS_PER_S_MAX = 0.34
MEMORY_MB_MAX = 150
PUBLISHED_P99_MS_MAX = 80
RECOVERY_S_MAX = 3.0
TAKE_OVER_S_MAX = 5.0
POLL_S, BEFORE_S = 3.0, 0.4
FOREIGN_MS_MAX = 40
"""Other programs' CPU around a cycle: about a twentieth of what two cores have in that time."""


def process_rows(redis_url: str) -> list[Row]:
    """The rows of the report."""
    return asyncio.run(_rows(redis_url))


async def _rows(redis_url: str) -> list[Row]:
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    try:
        async with aiohttp.ClientSession() as session:
            with ExitStack() as running:
                sim = running.enter_context(_simulator())
                one = running.enter_context(_fetcher(redis_url, sim))
                rows = await _whole_market(redis, session, sim, one)
                rows.append(await _recovery(redis, session, sim))
            for replicas in (2, 3):
                await redis.flushall()
                rows.append(await _take_over(redis, redis_url, replicas))
    finally:
        await redis.aclose()
    return rows


class _Fetcher(NamedTuple):
    """A running one."""

    pid: int
    url: str


@dataclass(frozen=True, slots=True)
class _Cycle:
    """One answer: how late each of its frames was, and who used the processors around it."""

    delays_ms: list[float]
    used: Used

    @property
    def is_alone(self) -> bool:
        return self.used.foreign_ms < FOREIGN_MS_MAX


async def _whole_market(
    redis: Redis, session: aiohttp.ClientSession, sim: str, fetcher: _Fetcher
) -> list[Row]:
    offset_ms = await store_offset_ms(redis)
    async with _frames(redis) as frames:
        await _warm_up(frames)
        before, started = await _requests(session, sim), time.monotonic()
        answers = await _answers(session, fetcher)
        cycles = []
        while time.monotonic() - started < MEASURE_S:
            cycles.append(await _one_cycle(frames, Machine(fetcher.pid), offset_ms))
        after, took_s = await _requests(session, sim), time.monotonic() - started
        counted, waited_s = (
            late - early
            for late, early in zip(
                await _answers(session, fetcher), answers, strict=True
            )
        )
    market = (after.get("GetMktData", 0) - before.get("GetMktData", 0)) / took_s
    total = (sum(after.values()) - sum(before.values())) / took_s
    return [
        *_delay_rows(cycles),
        Row("exchange asked to answer received, mean", waited_s * 1000 / counted, "ms"),
        at_most(
            "requests for the whole market", market, "/s", MARKET_REQUESTS_PER_S_MAX
        ),
        Row("requests in all (with the indices)", total, "/s"),
        at_most("resident memory", _resident_mb(fetcher.pid), "MB", MEMORY_MB_MAX),
    ]


async def _warm_up(frames: AsyncIterator[tuple[float, bytes]]) -> None:
    """Hear what comes for a while, up to the last frame of a cycle."""
    ends, before_ms = time.monotonic() + WARM_UP_S, time.monotonic() * 1000
    async for arrived_ms, _ in frames:
        is_first = arrived_ms - before_ms > BEFORE_S * 1000
        before_ms = arrived_ms
        if is_first and time.monotonic() > ends:
            break
    for _ in range(SHARDS - 1):
        await anext(frames)


async def _one_cycle(
    frames: AsyncIterator[tuple[float, bytes]], machine: Machine, offset_ms: float
) -> _Cycle:
    """Sleep until shortly before the next answer, then hear its frames; read later: who is busy hears late."""
    await asyncio.sleep(POLL_S - BEFORE_S)
    before = machine.look()
    heard = [await anext(frames) for _ in range(SHARDS)]
    used = machine.look().since(before)
    return _Cycle(
        [
            arrived_ms + offset_ms - unpack_frame(data).received_at_ms
            for arrived_ms, data in heard
        ],
        used,
    )


def _delay_rows(cycles: list[_Cycle]) -> list[Row]:
    alone = [cycle for cycle in cycles if cycle.is_alone]
    every = [delay for cycle in cycles for delay in cycle.delays_ms]
    what = "answer received to published"
    rows = [
        at_most(
            f"{what}, p99, whole market changing",
            percentile(every, 99),
            "ms",
            PUBLISHED_P99_MS_MAX,
        ),
        Row(f"{what}, p50", percentile(every, 50), "ms"),
        Row(
            f"cycles of {len(cycles)} with less than {FOREIGN_MS_MAX} ms of other programs",
            len(alone),
            "",
        ),
    ]
    if alone:
        undisturbed = [delay for cycle in alone for delay in cycle.delays_ms]
        rows.append(Row(f"– of these, {what}, p99", percentile(undisturbed, 99), "ms"))
    else:
        rows.append(absent(f"– of these, {what}, p99", "the machine was never quiet"))
    for name, values in (
        ("fetcher's CPU around a cycle", [c.used.own_ms for c in cycles]),
        ("fetcher waited for a core", [c.used.waited_ms for c in cycles]),
        ("CPU of other programs meanwhile", [c.used.foreign_ms for c in cycles]),
    ):
        rows.append(Row(f"– {name}, median", percentile(values, 50), "ms"))
        rows.append(Row(f"– {name}, worst", max(values), "ms"))
    return rows


async def _recovery(redis: Redis, session: aiohttp.ClientSession, sim: str) -> Row:
    """How long after the end of an outage the first prices are published."""
    fault = {"kind": "server_error", "path": "GetMktData"}
    async with session.post(f"{sim}/admin/faults", data=json.dumps(fault)) as answer:
        answer.raise_for_status()
    await asyncio.sleep(OUTAGE_S)
    async with _frames(redis) as frames:
        async with session.delete(f"{sim}/admin/faults") as answer:
            answer.raise_for_status()
        healed = time.monotonic()
        await anext(frames)
        took_s = time.monotonic() - healed
    return at_most(
        f"recovery after an outage of {OUTAGE_S:g} s", took_s, "s", RECOVERY_S_MAX + 0.3
    )


async def _take_over(redis: Redis, redis_url: str, replicas: int) -> Row:
    """How long until all shards of a batch source have a living writer, after one of its fetchers is killed."""
    with _simulator(scrips=400) as sim, ExitStack() as running:
        kite = {
            "SOURCE_PRIMARY": "kite",
            "KITE_BASE_URL": sim,
            "KITE_API_KEY": "key",
            "KITE_ACCESS_TOKEN": "access",
        }
        first, *_ = [
            running.enter_context(_fetcher(redis_url, sim, **kite))
            for _ in range(replicas)
        ]
        await _until(lambda: _shared_by(redis, replicas))
        victim = await _holder_of(redis, first.pid)
        os.kill(first.pid, 9)
        killed = time.monotonic()
        await _until(lambda: _moved_from(redis, victim))
        return at_most(
            f"a killed replica's shards are taken over after, {replicas} replicas",
            time.monotonic() - killed,
            "s",
            TAKE_OVER_S_MAX,
        )


async def _holders(redis: Redis) -> list[str]:
    stored: list[Any] = await redis.mget([keys.lease(shard) for shard in range(SHARDS)])
    return [value.decode().partition(":")[2] if value else "" for value in stored]


async def _shared_by(redis: Redis, fetchers: int) -> bool:
    holders = await _holders(redis)
    return "" not in holders and len(set(holders)) == fetchers


async def _moved_from(redis: Redis, victim: str) -> bool:
    holders = await _holders(redis)
    return "" not in holders and victim not in holders


async def _holder_of(redis: Redis, pid: int) -> str:
    (name,) = {holder for holder in await _holders(redis) if str(pid) in holder}
    return name


async def _until(condition: Condition) -> None:
    ends = time.monotonic() + WAIT_MAX_S
    while not await condition():
        if time.monotonic() > ends:
            raise RuntimeError(f"not so after {WAIT_MAX_S:g} s")
        await asyncio.sleep(0.02)


@asynccontextmanager
async def _frames(redis: Redis) -> AsyncIterator[AsyncIterator[tuple[float, bytes]]]:
    """Each frame from now on: when it arrived here (monotonic ms), and its bytes."""

    async def heard() -> AsyncIterator[tuple[float, bytes]]:
        ends = time.monotonic() + MEASURE_S + WAIT_MAX_S
        while time.monotonic() < ends:
            message = await pubsub.get_message(timeout=5)
            if message and message["type"] == "message":
                yield time.monotonic() * 1000, message["data"]
        raise RuntimeError("nothing is published")

    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(*(keys.deltas(shard) for shard in range(SHARDS)))
        yield heard()


async def _requests(session: aiohttp.ClientSession, sim: str) -> dict[str, int]:
    async with session.get(f"{sim}/admin/state") as answer:
        found: dict[str, int] = (await answer.json())["requests"]["by_endpoint"]
    return found


async def _answers(
    session: aiohttp.ClientSession, fetcher: _Fetcher
) -> tuple[float, float]:
    """How many answers the fetcher waited for since its start, and how long for all of them, in seconds."""
    async with session.get(f"{fetcher.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    name = "fetcher_answer_seconds"
    return float(told[f"{name}_count"]), float(told[f"{name}_sum"])


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def _simulator(**settings: object) -> Iterator[str]:
    port = free_ports(1)[0]
    env = {f"SIM_{name.upper()}": str(value) for name, value in settings.items()}
    env |= {"SIM_PORT": str(port), "SIM_ACTIVITY": "every_tick"}
    with _process("bse_exchange_sim", env):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _fetcher(redis_url: str, sim: str, **more: str) -> Iterator[_Fetcher]:
    port = free_ports(1)[0]
    env = {
        "REDIS_URL": redis_url,
        "BSE_BASE_URL": sim,
        "POLL_SESSION": "always_open",
        "HTTP_PORT": str(port),
        "MARKET_SHARDS": str(SHARDS),
        **more,
    }
    with _process("bse_fetcher", env) as pid:
        yield _Fetcher(pid, f"http://127.0.0.1:{port}")


@contextmanager
def _process(module: str, env: dict[str, str]) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-m", module],
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process.pid
        finally:
            process.kill()
            process.wait(10)
