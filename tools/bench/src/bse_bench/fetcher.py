"""What a whole-market cycle costs the fetcher, against a plain implementation of the same in the same run."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import msgpack
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from bse_bench.batches import batch_rows
from bse_bench.end_to_end import latencies_ms
from bse_bench.fetcher_process import process_rows
from bse_bench.market_bodies import market_bodies
from bse_bench.report import Row, at_most, percentile, tell
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.publisher import Publisher
from bse_fetcher.scrutiny import Scrutiny
from bse_fetcher.sources.bse.market_list import MarketReader
from bse_fetcher.terms import Terms
from bse_local_stack.ports import free_ports
from bse_local_stack.redis_server import running_server
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.garbage import calm_garbage_collector
from bse_shared.service.system_clock import SystemClock


ROWS = 4300
CYCLES = 40
ROUNDS = 4
WARM_UP = 5
SHARDS = 8
BOOTSTRAP_ROWS = 5000
CYCLE_CPU_MS_MAX = 60
BOOTSTRAP_MS_MAX = 1000
LATENCY_P99_MS_MAX = 200

Cycle = Callable[[bytes], Awaitable[None]]


def main() -> bool:
    """Run it all; whether every bound was kept."""
    calm_garbage_collector()  # as every service does
    with running_server(free_ports(1)[0]) as url:
        rows = asyncio.run(_cycles(url))
        rows += asyncio.run(batch_rows(url))
        rows += process_rows(url)
    latency_ms = latencies_ms()
    rows.append(
        at_most(
            "answer received to client, p99, whole market changing",
            percentile(latency_ms, 99),
            "ms",
            LATENCY_P99_MS_MAX,
        )
    )
    rows.append(Row("answer received to client, p50", percentile(latency_ms, 50), "ms"))
    return tell(
        "fetcher",
        rows,
        [
            f"{ROWS} rows, all changed, {CYCLES} cycles; CPU is user + system of the fetcher's process.",
            "plain = json.loads, dict compare, one SET EX a symbol in a pipeline, one PUBLISH.",
            f"Latency: {len(latency_ms)} messages at a raw MessagePack client subscribed to the whole market.",
        ],
    )


async def _cycles(url: str) -> list[Row]:
    bodies = market_bodies(ROWS, CYCLES + WARM_UP)
    redis = Redis.from_url(url)
    try:
        await redis.flushall()
        ours = await _measure(await _our_cycle(redis), bodies)
        await redis.flushall()
        plain = await _measure(_plain_cycle(redis), bodies)
        bootstrap_ms = await _bootstrap(redis)
        memory = await redis.info("memory")
    finally:
        await redis.aclose()
    return [
        at_most("whole-market cycle, CPU", ours, "ms", CYCLE_CPU_MS_MAX),
        Row("whole-market cycle, plain, CPU", plain, "ms"),
        Row("ratio to plain", ours / plain, "x"),
        at_most(
            f"follower reads {BOOTSTRAP_ROWS} symbols",
            bootstrap_ms,
            "ms",
            BOOTSTRAP_MS_MAX,
        ),
        Row("store memory after it", memory["used_memory"] / 1e6, "MB"),
    ]


async def _measure(cycle: Cycle, bodies: list[bytes]) -> float:
    """CPU of a cycle in ms, the best of a few rounds: other work on the machine can only add to it."""
    for body in bodies[:WARM_UP]:
        await cycle(body)
    rounds = []
    for start in range(WARM_UP, len(bodies), CYCLES // ROUNDS):
        some = bodies[start : start + CYCLES // ROUNDS]
        started = time.process_time()
        for body in some:
            await cycle(body)
        rounds.append((time.process_time() - started) * 1000 / len(some))
    return min(rounds)


async def _our_cycle(redis: Redis) -> Cycle:
    """The fetcher's own parts, from an answer's bytes to its published frames."""
    store = MarketStore(redis, SystemClock(), SHARDS)
    metrics = FetcherMetrics(CollectorRegistry())
    terms = Terms(store, SystemClock(), "bench", 600, metrics)
    await terms.hold()
    publisher = Publisher(terms, KnownInstruments(), metrics, Scrutiny(metrics))
    reader = MarketReader()

    async def cycle(body: bytes) -> None:
        await publisher.publish_list(reader.read(body), store.now_ms())
        if not terms.active:
            raise RuntimeError("a commit was refused")

    return cycle


def _plain_cycle(redis: Redis) -> Cycle:
    held: dict[str, dict[str, object]] = {}

    async def cycle(body: bytes) -> None:
        changed = {}
        for row in json.loads(body)["Table"]:
            quote = {
                "last": row["ltradert"],
                "open": row["openrate"],
                "high": row["highrate"],
                "low": row["lowrate"],
                "previous_close": row["prevdayclose"],
                "volume": row["trd_vol"],
                "turnover": row["trd_val"],
                "trades": row["nooftrd"],
                "time": row["dt_tm"],
            }
            before = held.get(row["scripname"], {})
            delta = {k: v for k, v in quote.items() if before.get(k) != v}
            if delta:
                held[row["scripname"]] = quote
                changed[row["scripname"]] = delta
        async with redis.pipeline(transaction=False) as pipe:
            for symbol in changed:
                pipe.set(f"stock:quote:{symbol}", msgpack.packb(held[symbol]), ex=300)
            pipe.publish("deltas", msgpack.packb(changed))
            await pipe.execute()

    return cycle


async def _bootstrap(redis: Redis) -> float:
    await redis.flushall()
    cycle = await _our_cycle(redis)
    (body,) = market_bodies(BOOTSTRAP_ROWS, 1)
    await cycle(body)
    store = MarketStore(redis, SystemClock(), SHARDS)
    table = QuoteTable(SHARDS)
    started = time.perf_counter()
    for shard in range(SHARDS):
        table.load(await store.snapshot(shard))
    took_ms = (time.perf_counter() - started) * 1000
    if len(table.images) != BOOTSTRAP_ROWS:
        raise RuntimeError(f"{len(table.images)} of {BOOTSTRAP_ROWS} symbols were read")
    return took_ms
