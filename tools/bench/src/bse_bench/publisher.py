"""What stands for the fetcher before a hub under test: commits changes to the store as a fetcher does.

`python -m bse_bench.publisher REDIS_URL` obeys the orders of all sources (`baselines/orders.py`; the payload is
not used): COUNT 0 changes the shared pair of scrips, else COUNT scrips drawn at random. A second argument: also
a day of minutes of so many scrips.
"""

import asyncio
import random
import sys
from collections.abc import Iterable

from redis.asyncio import Redis

from bse_bench.baselines.orders import obey
from bse_shared.quotes.candles import MINUTE_MS, Candle
from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.position import shard_of
from bse_shared.quotes.quote import NUMBER, Quote, Value
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import Lease, MarketStore
from bse_shared.service.garbage import calm_garbage_collector
from bse_shared.service.system_clock import SystemClock
from bse_shared.wire.records import FeedStatus, SessionRecord


SHARDS = 8
SYMBOLS = [f"SYM{i:04d}" for i in range(1000)]
CODES = [500_000 + i for i in range(len(SYMBOLS))]
PAIR = [code for code in CODES if shard_of(code, SHARDS) == 0][:2]
PAIR_SYMBOLS = [SYMBOLS[CODES.index(code)] for code in PAIR]
"""Two scrips of one shard: their update is one bus message and a frame of about 100 bytes of MessagePack."""

LEASE_MS = 3_600_000
DAY_OPENS_MS, DAY_MINUTES = 1_795_319_100_000, 375


class Market:
    """The made-up market and its way into the store."""

    def __init__(self, store: MarketStore, leases: list[Lease]):
        self._store = store
        self._leases = leases
        self._writers: list[ShardWriter] = []
        self._rng = random.Random(1)  # noqa: S311 - made-up prices
        self._ticks = 0
        self.master = InstrumentMaster(
            [
                Instrument(code, symbol, f"INE{code}01018", f"Company {code} Ltd", "A")
                for code, symbol in zip(CODES, SYMBOLS, strict=True)
            ],
            1,
        )

    async def open(self) -> None:
        """Write the instruments and a whole quote of each."""
        await self._store.save_instruments(self.master)
        self._writers = [
            ShardWriter(await self._store.snapshot(s)) for s in range(SHARDS)
        ]
        await self.beat()
        await self._commit({code: _opening(code) for code in CODES}, range(SHARDS))

    async def keep_minutes(self, history: MarketHistory, scrips: int) -> None:
        """A whole day of each, as a fetcher stores it."""
        for code in CODES[:scrips]:
            day = [(code, _minute(code, number)) for number in range(DAY_MINUTES)]
            await history.append_minutes(self._leases[shard_of(code, SHARDS)], day)

    async def beat(self) -> None:
        """The fetcher's word, each second."""
        now_ms = self._store.now_ms()
        session = SessionRecord(phase="open", is_open=True, trading_day="2026-11-23")
        await self._store.beat(
            FeedStatus(
                at_ms=now_ms,
                writer="bench",
                source="bse",
                state="ok",
                session=session,
                shards=SHARDS,
                poll_interval_s=1,
                last_answer_at_ms=now_ms,
                rows=len(CODES),
                instruments_version=1,
            )
        )

    async def each_second(self) -> None:
        """Beat, and confirm every price, so that none goes stale."""
        await self.beat()
        await self._commit({}, range(SHARDS))

    async def tick(self, count: int, _: str = "") -> None:
        """Change the pair, or so many scrips."""
        self._ticks += 1
        codes = self._rng.sample(CODES, count) if count else PAIR
        seen = {code: self._changed(code) for code in codes}
        await self._commit(seen, sorted({shard_of(code, SHARDS) for code in codes}))

    def _changed(self, code: int) -> dict[int, Value]:
        """The five fields that move with a trade."""
        held = self._writers[shard_of(code, SHARDS)].images[code].quote
        last, volume = (
            100_000 + code % 997 * 10 + self._ticks % 100 * 5,
            held.volume or 0,
        )
        return {
            NUMBER["last_paise"]: last,
            NUMBER["volume"]: volume + 25,
            NUMBER["turnover_paise"]: (held.turnover_paise or 0) + 25 * last,
            NUMBER["trades"]: (held.trades or 0) + 1,
            NUMBER["exchange_time_ms"]: self._store.now_ms() // 1000 * 1000,
        }

    async def _commit(
        self, seen: dict[int, dict[int, Value]], shards: Iterable[int]
    ) -> None:
        now_ms = self._store.now_ms()
        jobs = []
        for shard in shards:
            writer = self._writers[shard]
            known: dict[int, dict[int, Value]] = {code: {} for code in writer.images}
            mine = {c: f for c, f in seen.items() if shard_of(c, SHARDS) == shard}
            jobs.append((self._leases[shard], writer.plan_list(known | mine, now_ms)))
        refusals = await self._store.commit(jobs, self.master)
        if any(refusals):
            raise RuntimeError(f"a commit was refused: {refusals}")
        for lease, plan in jobs:
            self._writers[lease.shard].committed(plan)


def _minute(code: int, number: int) -> Candle:
    base = 100_000 + code % 997 * 10 + number % 50
    start_ms = DAY_OPENS_MS + number * MINUTE_MS
    return Candle(start_ms, base, base + 40, base - 25, base + 5, 1_000 + number)


def _opening(code: int) -> dict[int, Value]:
    base = 100_000 + code % 997 * 10
    quote = Quote(
        last_paise=base,
        open_paise=base - 500,
        high_paise=base + 2_000,
        low_paise=base - 2_000,
        previous_close_paise=base - 300,
        volume=1_000_000 + code,
        turnover_paise=1_000_000 * base,
        trades=10_000 + code % 997,
        exchange_time_ms=1_795_334_400_000,
        source=1,
        condition=0,
    )
    return {n: value for n, value in enumerate(quote) if value is not None}


async def main() -> None:
    """Publish until standard input ends."""
    calm_garbage_collector()
    redis = Redis.from_url(sys.argv[1])
    store = MarketStore(redis, SystemClock(), SHARDS)
    leases = [
        lease
        for shard in range(SHARDS)
        if (lease := await store.take_lease(shard, "bench", LEASE_MS, 0))
    ]
    market = Market(store, leases)
    await market.open()
    if len(sys.argv) > 2:  # noqa: PLR2004 - the address, and how many scrips
        history = MarketHistory(redis, SystemClock(), SHARDS)
        await market.keep_minutes(history, int(sys.argv[2]))
    print("ready", flush=True)
    try:
        await obey(market.tick, market.each_second)
    finally:
        await redis.aclose()


if __name__ == "__main__":
    asyncio.run(main())
