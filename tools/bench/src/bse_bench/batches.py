"""What a batch source costs: bytes of an answer to published frames, at full speed, through a real server."""

import asyncio
import json
import random
import time

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from bse_bench.report import Row, at_least, at_most, percentile
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.publisher import Publisher
from bse_fetcher.scrutiny import Scrutiny
from bse_fetcher.sources.kite.payload import read_quotes
from bse_fetcher.terms import Terms
from bse_shared.quotes.instrument import Instrument
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.wire.records import BatchRecord


SYMBOLS = 4300
SHARDS = 8
ANSWERS = 200
ROUNDS = 4
UPDATES_PER_S_MIN = 50_000
BATCH_P99_MS_MAX = 10
SMALL, LARGE = 50, 500


async def batch_rows(url: str) -> list[Row]:
    """The rows of the report."""
    redis = Redis.from_url(url)
    try:
        small = await _run(redis, SMALL)
        large = await _run(redis, LARGE)
    finally:
        await redis.aclose()
    return [
        at_least(
            f"updates/s of one core, batches of {LARGE}",
            large.updates_per_s,
            "/s",
            UPDATES_PER_S_MIN,
        ),
        Row(f"updates/s of one core, batches of {SMALL}", small.updates_per_s, "/s"),
        at_most(
            f"answer received to published, p99, batch of {SMALL}",
            percentile(small.took_ms, 99),
            "ms",
            BATCH_P99_MS_MAX,
        ),
        Row(
            f"answer received to published, p50, batch of {SMALL}",
            percentile(small.took_ms, 50),
            "ms",
        ),
    ]


class _Result:
    def __init__(self, updates_per_s: float, took_ms: list[float]):
        self.updates_per_s = updates_per_s
        self.took_ms = took_ms


async def _run(redis: Redis, size: int) -> _Result:
    """Answers of `size` scrips of one shard, every row changed: CPU of this process, and time of each answer."""
    await redis.flushall()
    clock = SystemClock()
    store = MarketStore(redis, clock, SHARDS)
    metrics = FetcherMetrics(CollectorRegistry())
    terms = Terms(store, clock, "bench", 600, metrics)
    await terms.hold()
    instruments = KnownInstruments()
    codes = {f"BSE:SCRIP{i}": 500_000 + i for i in range(SYMBOLS)}
    instruments.listed(
        Instrument(code, key.removeprefix("BSE:")) for key, code in codes.items()
    )
    publisher = Publisher(terms, instruments, metrics, Scrutiny(metrics))
    rng = random.Random(1)  # noqa: S311 - made-up prices
    rates, took_ms = [], []
    step = 0
    for _ in range(ROUNDS):
        bodies = [_body(list(codes), size, step + n, rng) for n in range(ANSWERS)]
        step += ANSWERS
        started = time.process_time()
        for number, body in enumerate(bodies):
            received = time.perf_counter()
            answer = read_quotes(body, codes)
            at_ms = store.now_ms()
            stored = await publisher.publish_batch(answer, at_ms)
            took_ms.append((time.perf_counter() - received) * 1000)
            await store.save_batch(_status(number, size, at_ms))
            if stored != size or answer.rejected:
                raise RuntimeError(f"{stored} of {size} rows were stored")
        rates.append(ANSWERS * size / (time.process_time() - started))
        await asyncio.sleep(0)
    return _Result(max(rates), took_ms)


def _status(number: int, size: int, at_ms: int) -> BatchRecord:
    return BatchRecord(
        batch_id=f"bench:{number}",
        source="kite",
        fetcher="bench",
        state="stored",
        codes=[],
        asked_at_ms=at_ms,
        done_at_ms=at_ms,
        seen=size,
    )


def _body(keys: list[str], size: int, step: int, rng: random.Random) -> bytes:
    """An answer of scrips of one shard, as the fetcher asks for them; every row differs from the last."""
    shard = step % SHARDS
    own = [
        key for number, key in enumerate(keys) if (500_000 + number) % SHARDS == shard
    ]
    start = (step // SHARDS * size) % len(own)
    chosen = (own + own)[start : start + min(size, len(own))]
    return json.dumps(
        {"status": "success", "data": {key: _row(step, rng) for key in chosen}}
    ).encode()


def _row(step: int, rng: random.Random) -> dict[str, object]:
    last = round(1000 + step * 0.05 + rng.randrange(100) / 100, 2)
    bids, asks = (
        [
            {"price": round(last + side * n / 20, 2), "quantity": step + n, "orders": 3}
            for n in range(1, 6)
        ]
        for side in (-1, 1)
    )
    at = f"2026-11-23 {9 + step // 3600:02d}:{step // 60 % 60:02d}:{step % 60:02d}"
    return {
        "instrument_token": 1,
        "timestamp": at,
        "last_trade_time": at,
        "last_price": last,
        "volume": 1000 + step,
        "average_price": last,
        "ohlc": {
            "open": 1000.0,
            "high": round(last + 50, 2),
            "low": 990.0,
            "close": 1000.0,
        },
        "lower_circuit_limit": 800.0,
        "upper_circuit_limit": 1200.0,
        "depth": {"buy": bids, "sell": asks},
    }
