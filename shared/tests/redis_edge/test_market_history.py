"""Minutes, days, summary and indices on a real server."""

from bse_shared.quotes.candles import Candle, CandleFlag
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import Lease, MarketStore
from bse_shared.testing.fake_clock import FakeClock
from bse_shared.wire.records import IndexRecord, SummaryRecord


TEN_MS = 1_795_322_400_000
CODE = 500325
SHARDS = 4
MINUTE = Candle(TEN_MS, 100, 110, 95, 105, 1234)


async def a_history(redis):
    """A history, and a lease of the scrip's shard."""
    clock = FakeClock()
    store = MarketStore(redis, clock, SHARDS)
    lease = await store.take_lease(CODE % SHARDS, "fetcher-1", 60_000, 0)
    return MarketHistory(redis, clock, SHARDS), lease


async def test_minutes_are_read_as_they_were_written(redis):
    """By day, one each, a gap replaced by what filled it; two days later they are gone."""
    history, lease = await a_history(redis)
    gap = MINUTE._replace(start_ms=TEN_MS + 60_000, flags=CandleFlag.GAP)
    filled = gap._replace(flags=CandleFlag.FILLED, volume=7)
    tomorrow = MINUTE._replace(start_ms=TEN_MS + 86_400_000)
    assert await history.append_minutes(
        lease, [(CODE, gap), (CODE, MINUTE), (CODE, tomorrow)]
    )
    assert await history.append_minutes(lease, [(CODE, filled)])

    assert [MINUTE, filled] == await history.minutes(CODE, TEN_MS)
    assert [tomorrow] == await history.minutes(CODE, TEN_MS + 86_400_000)
    assert [] == await history.minutes(CODE + SHARDS, TEN_MS)
    (key, _) = sorted([k async for k in redis.scan_iter("bse:*:minutes:*")])
    assert 0 < await redis.ttl(key) <= 2 * 24 * 3600


async def test_days_are_kept_once_each(redis):
    """A day that is rolled again, by another fetcher, is the same day."""
    history, lease = await a_history(redis)
    for close in (105, 106):
        await history.set_days(lease, [(CODE, MINUTE._replace(close_paise=close))])
    await history.set_days(lease, [(CODE, MINUTE._replace(start_ms=0))])

    days = await history.days(CODE)
    assert [(0, 105), (TEN_MS, 106)] == [(d.start_ms, d.close_paise) for d in days]


async def test_one_whose_lease_is_gone_writes_nothing(redis):
    """A fetcher that was frozen wakes up with minutes of its own."""
    history, lease = await a_history(redis)
    stale = Lease(lease.shard, lease.epoch - 1, "fetcher-0")

    assert not await history.append_minutes(stale, [(CODE, MINUTE)])
    assert not await history.set_days(stale, [(CODE, MINUTE)])
    assert [] == await history.minutes(CODE, TEN_MS)
    assert [] == await history.days(CODE)


async def test_what_another_version_wrote_is_passed_over(redis):
    """Old and new writers live side by side during an update."""
    history, lease = await a_history(redis)
    await history.append_minutes(lease, [(CODE, MINUTE)])
    (key,) = [k async for k in redis.scan_iter("bse:*:minutes:*")]
    await redis.rpush(key, b"\x92\x02\x01", b"no candle", b"\x91\x01")

    assert [MINUTE] == await history.minutes(CODE, TEN_MS)


async def test_summary_and_indices_are_kept_as_json(redis):
    """For people, and for the doors."""
    history, _ = await a_history(redis)
    assert (None, {}) == (await history.summary(), await history.indices())
    summary = SummaryRecord(
        at_ms=1,
        advances=2,
        declines=3,
        unchanged=4,
        untraded=5,
        turnover_paise=6,
        gainers=[],
        losers=[],
        most_active=[],
    )
    index = IndexRecord(name="SENSEX", code=16, last=7_883_132)
    await history.save_summary(summary)
    await history.save_indices({"SENSEX": index})

    assert summary == await history.summary()
    assert {"SENSEX": index} == await history.indices()
    assert b'"advances":2' in await redis.get(keys.SUMMARY)
