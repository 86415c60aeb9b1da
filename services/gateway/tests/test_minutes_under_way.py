"""The newest minutes: what the fetcher will store of them, told early."""

from hypothesis import given
from hypothesis import strategies as st

from bse_gateway.minutes_under_way import MinutesUnderWay
from bse_shared.quotes.candles import MINUTE_MS, CandleFlag, CandleMaker
from bse_shared.quotes.frame import Confirmed, Snapshot
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.quotes.shard_writer import ShardWriter
from bse_shared.testing.builders import RELIANCE, TCS, a_quote, seen


TEN_MS = 1_795_322_400_000
CODE = RELIANCE.code


class Market:
    """A fetcher's writer and maker, and a gateway's table and minutes, side by side."""

    def __init__(self):
        empty = Snapshot(0, Position(1, 0), Confirmed(), {})
        self.table = QuoteTable(1)
        self.table.load(empty)
        self.told = MinutesUnderWay(self.table)
        self.fetcher = CandleMaker()
        self._writer = ShardWriter(empty)

    async def report(self, at_s, price, volume, code=CODE, **fields):
        """The source says so, so many seconds after ten past ten."""
        at_ms = TEN_MS + at_s * 1000
        seen_at = {"exchange_time_ms": at_ms, "volume": volume}
        quote = a_quote(price, **seen_at | fields)
        plan = self._writer.plan_list({code: seen(quote)}, at_ms)
        self._writer.committed(plan)
        self.fetcher.watched(at_ms)
        for change in plan.frame.changes:
            self.fetcher.take(change.code, plan.images[change.code].quote)
        if changes := self.table.receive(plan.frame):
            self.told.take(changes)
        await self.told.look()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20), st.integers(1, 999), st.integers(0, 50), st.booleans()
        ),
        min_size=1,
        max_size=60,
    )
)
async def test_what_is_told_is_what_the_fetcher_stores(trades):
    """The same minutes, flags included: the one that was ended last, and the one under way."""
    market = Market()
    await market.report(-70, 100, 0)
    at_s, volume = -1, 0
    traded = {}
    for pause_s, price, bought, is_trade in trades:
        at_s, volume = at_s + pause_s, volume + bought * is_trade
        if is_trade:
            traded = {"price": price, "exchange_time_ms": TEN_MS + at_s * 1000}
        await market.report(
            at_s, volume=volume, bid_paise=price, **{"price": 100} | traded
        )
    told = market.told.of(CODE)
    market.fetcher.watched(TEN_MS + at_s * 1000 + MINUTE_MS)  # the feed goes on
    stored = [
        candle for _, candle in market.fetcher.closed(TEN_MS + at_s * 1000 + 3_600_000)
    ]
    assert stored[-2:] == told


async def test_a_scrip_that_did_not_trade_since_has_none():
    """A change of its book is no trade."""
    market = Market()
    await market.report(0, 100, 10)
    await market.report(3, 100, 10, code=TCS.code)
    await market.report(3, 100, 10, bid_paise=99)
    assert [] == market.told.of(CODE)
    assert [] == market.told.of(1)


async def test_a_pause_of_the_feed_is_a_gap():
    """As long as it lasted nobody watched."""
    market = Market()
    await market.report(-70, 100, 0)
    await market.report(-61, 100, 0)
    await market.report(0, 100, 5)
    await market.report(5, 100, 6)
    (candle,) = market.told.of(CODE)
    assert (TEN_MS, CandleFlag.GAP) == (candle.start_ms, candle.flags)
    await market.report(12, 100, 7)
    await market.report(59, 100, 8)
    await market.report(64, 100, 9)
    assert [CandleFlag.GAP, CandleFlag.NONE] == [
        candle.flags for candle in market.told.of(CODE)
    ]


async def test_a_change_of_the_book_after_a_pause_flags_the_minute_too():
    """As the fetcher does: the minute's end may lie in the pause. Answers that change nothing are no pause."""
    market = Market()
    for at_s in (-70, *range(-60, 61, 10)):
        await market.report(at_s, 100, at_s + 70)
    held = {"exchange_time_ms": TEN_MS + 60_000}
    for at_s in (70, 80, 90):
        await market.report(at_s, 100, 130, **held)
    await market.report(95, 100, 130, bid_paise=99, **held)
    assert CandleFlag.NONE == market.told.of(CODE)[-1].flags
    await market.report(106, 100, 130, bid_paise=98, **held)
    assert CandleFlag.GAP == market.told.of(CODE)[-1].flags
    assert market.fetcher.under_way(CODE) == market.told.of(CODE)[-1]


async def test_a_source_asked_for_a_few_scrips_confirms_each_by_itself():
    """A scrip that was not looked at for a while has a gap; the others have not."""
    market = Market()
    writer, table = market._writer, market.table

    def answered(at_s, quotes):
        at_ms = TEN_MS + at_s * 1000
        fields = {
            code: seen(a_quote(100 + volume, exchange_time_ms=at_ms, volume=volume))
            for code, volume in quotes.items()
        }
        plan = writer.plan_batch(fields, at_ms)
        writer.committed(plan)
        market.told.take(table.receive(plan.frame))

    answered(-70, {CODE: 1, TCS.code: 1})
    for at_s in range(-65, 61, 5):
        answered(at_s, {CODE: at_s + 100})
    answered(61, {CODE: 200, TCS.code: 200})
    assert [TEN_MS, TEN_MS + MINUTE_MS] == [
        candle.start_ms for candle in market.told.of(CODE)
    ]
    assert [0, 0] == [candle.flags for candle in market.told.of(CODE)]
    (other,) = market.told.of(TCS.code)
    assert CandleFlag.GAP == other.flags
