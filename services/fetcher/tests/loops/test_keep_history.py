"""Candles, days, summary and indices of the stand-in's market, by hand."""

import pytest

from bse_fetcher.loops.fill_gaps import GapFiller
from bse_fetcher.loops.keep_history import HistoryKeeper
from bse_fetcher.source_settings import YahooSettings
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.quotes.candles import (
    CLOSES_AFTER_MS,
    MINUTE_MS,
    Candle,
    CandleFlag,
    day_start_ms,
)
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.sessions.session import Phase


RELIANCE = 500325


def keeper_of(fetcher):
    """A keeper that hears what the fetcher commits."""
    history = MarketHistory(fetcher.redis, fetcher.clock, fetcher.store.shards)
    keeper = HistoryKeeper(fetcher.core, history, lambda: fetcher.session)
    fetcher.publisher.listeners.append(keeper.took)
    return keeper, history


def filler_of(fetcher, keeper, *sources):
    """What fills the keeper's gaps, from these sources with their guards."""
    return GapFiller(
        core=fetcher.core,
        sources=list(sources),
        history=keeper.history,
        demand=fetcher.demand,
        is_wanted=lambda: True,
        pauses=lambda: keeper.maker.pauses,
    )


def closed(fetcher):
    """The session after its end."""
    values = {n: getattr(fetcher.session, n) for n in fetcher.session.__struct_fields__}
    return type(fetcher.session)(**{**values, "phase": Phase.CLOSED})


async def test_the_minutes_of_a_market_are_its_trades(fetching, exchange):
    """Ten minutes polled every 3 s: each minute is there once, and the volume is what the exchange says."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        first = None
        for _ in range(200):
            await fetcher.poll()
            first = first or (await fetcher.held())[RELIANCE].quote
            exchange.trade()
        last = (await fetcher.held())[RELIANCE].quote
        at_ms = last.exchange_time_ms
        closed_candles = keeper.maker.closed(at_ms + 2 * MINUTE_MS)
        await keeper.store_minutes(closed_candles)

        candles = await history.minutes(RELIANCE, at_ms)
        starts = [candle.start_ms for candle in candles]
        assert list(range(starts[0], starts[-1] + 1, MINUTE_MS)) == starts
        assert 10 <= len(starts) <= 11
        assert last.volume - first.volume == sum(c.volume for c in candles)
        assert last.last_paise == candles[-1].close_paise
        assert {0} == {candle.flags for candle in candles[1:]}


async def test_minutes_that_can_not_be_stored_wait(fetching, exchange, wired):
    """The store is away, then the leases are lost: neither costs a minute."""
    async with fetching() as hire, wired() as (client, wire):
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        keeper.history = MarketHistory(client, fetcher.clock, fetcher.store.shards)
        for _ in range(30):
            await fetcher.poll()
            exchange.trade()
        at_ms = (await fetcher.held())[RELIANCE].quote.exchange_time_ms
        finished = keeper.maker.closed(at_ms + 2 * MINUTE_MS)
        await client.ping()
        wire.cut()
        with pytest.raises(StoreUnavailable):
            await keeper.store_minutes(finished)
        fetcher.terms.lose_all("a test")
        await keeper.store_minutes([])
        assert [] == await history.minutes(RELIANCE, at_ms)
        await fetcher.terms.hold()
        for _ in range(2):
            await keeper.store_minutes([])

        mine = [candle for code, candle in finished if code == RELIANCE]
        assert mine == await history.minutes(RELIANCE, at_ms)
        assert len(finished) == fetcher.count("fetcher_candles")


async def test_a_shard_that_was_taken_over_is_rolled_too(fetching):
    """Whoever had it may have gone before it could."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        await fetcher.poll()
        fetcher.session = closed(fetcher)
        lease = fetcher.terms.lease_of(RELIANCE % fetcher.store.shards)
        taken = fetcher.terms.writers.pop(lease.shard)
        await keeper._roll()
        assert [] == await history.days(RELIANCE)
        fetcher.terms.writers[lease.shard] = taken
        await keeper.step()

        assert 1 == len(await history.days(RELIANCE))
        assert 40 == fetcher.count("fetcher_candles")


async def test_a_closed_market_is_rolled_to_days_once(fetching):
    """Every scrip that traded, with the exchange's own open, high and low."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        await fetcher.poll()
        await keeper.step()
        assert [] == await history.days(RELIANCE)
        fetcher.session = closed(fetcher)
        for _ in range(2):
            await keeper.step()

        quote = (await fetcher.held())[RELIANCE].quote
        (day,) = await history.days(RELIANCE)
        assert day_start_ms(quote.exchange_time_ms) == day.start_ms
        assert quote[:4] == (
            day.close_paise,
            day.open_paise,
            day.high_paise,
            day.low_paise,
        )
        assert quote.volume == day.volume
        assert 40 == fetcher.count("fetcher_candles")


async def test_missed_minutes_of_hot_scrips_are_filled_once(fetching, exchange):
    """From the opening to the fetcher's first minute; and again after a pause, only what is missing."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        filler = filler_of(
            fetcher,
            keeper,
            (fetcher.source, fetcher.guards.add("bse", "minutes", "details")),
        )
        await fetcher.poll()
        at_ms = (await fetcher.held())[RELIANCE].quote.exchange_time_ms
        await filler.step()
        assert [] == await history.minutes(RELIANCE, at_ms)
        fetcher.demand.watch([RELIANCE], 0)
        for _ in range(3):
            await filler.step()

        filled = await history.minutes(RELIANCE, at_ms)
        starts = [candle.start_ms for candle in filled]
        assert 1 == exchange.asked("StockReachGraph")
        assert list(range(starts[0], starts[-1] + 1, MINUTE_MS)) == starts
        assert len(starts) > 60
        assert {CandleFlag.FILLED} == {candle.flags for candle in filled}

        keeper.maker.pauses += 1
        exchange.trade(600)
        await filler.step()
        assert 10 == len(await history.minutes(RELIANCE, at_ms)) - len(filled)


async def test_another_source_fills_what_the_exchange_does_not_tell(fetching, exchange):
    """Yahoo's chart, with open, high and low, where BSE's minutes fail; BSE again once they are back."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        yahoo = YahooSource(fetcher.http, YahooSettings(base_url=exchange.url))
        filler = filler_of(
            fetcher,
            keeper,
            (fetcher.source, fetcher.guards.add("bse", "minutes", "details")),
            (yahoo, fetcher.guards.add("yahoo", "chart", "details")),
        )
        await fetcher.poll()
        await fetcher.master.step()
        at_ms = (await fetcher.held())[RELIANCE].quote.exchange_time_ms
        fetcher.demand.watch([RELIANCE], 0)
        await exchange.arm(path="StockReachGraph", kind="server_error")
        await filler.step()

        filled = await history.minutes(RELIANCE, at_ms)
        assert len(filled) > 60
        assert any(candle.high_paise > candle.low_paise for candle in filled)
        assert {CandleFlag.FILLED} == {candle.flags for candle in filled}
        await exchange.heal()
        keeper.maker.pauses += 1
        exchange.trade(600)
        await filler.step()
        assert (2, 1) == (
            exchange.asked("StockReachGraph"),
            exchange.asked("yahoo chart"),
        )


class NoMinutes:
    """A source that answers, and knows of none."""

    name = "bse"

    async def ask_minutes(self, _):
        """An answer."""
        return b""

    def read_minutes(self, _, __):
        """Nothing in it."""
        return []


async def test_a_source_without_minutes_passes_the_question_on(fetching, exchange):
    """An empty answer is no day without trades while another source may know better."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        yahoo = YahooSource(fetcher.http, YahooSettings(base_url=exchange.url))
        filler = filler_of(
            fetcher,
            keeper,
            (NoMinutes(), fetcher.guards.add("bse", "minutes", "details")),
            (yahoo, fetcher.guards.add("yahoo", "chart", "details")),
        )
        await fetcher.poll()
        at_ms = (await fetcher.held())[RELIANCE].quote.exchange_time_ms
        fetcher.demand.watch([RELIANCE], 0)
        await filler.step()

        assert len(await history.minutes(RELIANCE, at_ms)) > 60


async def test_minutes_that_nobody_tells_are_asked_for_again(fetching, exchange):
    """An outage of all sources fills nothing, and is not taken for a day without trades."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        guard = fetcher.guards.add("bse", "minutes", "details")
        filler = filler_of(fetcher, keeper, (fetcher.source, guard))
        await fetcher.poll()
        at_ms = (await fetcher.held())[RELIANCE].quote.exchange_time_ms
        fetcher.demand.watch([RELIANCE], 0)
        await exchange.arm(path="StockReachGraph", kind="server_error", times=1)
        await filler.step()
        assert [] == await history.minutes(RELIANCE, at_ms)
        await filler.step()

        assert len(await history.minutes(RELIANCE, at_ms)) > 60


class Minutes:
    """A source that tells these minutes."""

    name = "bse"

    def __init__(self, *candles):
        self.candles = candles
        self.asked = 0

    async def ask_minutes(self, _):
        """An answer."""
        self.asked += 1
        return b""

    def read_minutes(self, _, __):
        """All of them."""
        return list(self.candles)


async def test_the_minute_under_way_is_filled_when_it_is_over(fetching):
    """Half of it would be believed for good; until then it is not asked for again."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        await fetcher.poll()
        now_ms = fetcher.store.now_ms()
        begun_ms = now_ms + 1000 - MINUTE_MS - CLOSES_AFTER_MS
        filled = int(CandleFlag.FILLED)
        before = Candle(begun_ms - 5 * MINUTE_MS, 1, 1, 1, 1, 5, filled)
        half = Candle(begun_ms, 2, 2, 2, 2, 1, filled)
        source = Minutes(before, half)
        filler = filler_of(
            fetcher, keeper, (source, fetcher.guards.add("bse", "minutes", "details"))
        )
        fetcher.demand.watch([RELIANCE], now_ms)
        for _ in range(3):
            await filler.step()
        assert ([before], 1) == (
            await history.minutes(RELIANCE, begun_ms),
            source.asked,
        )

        whole = half._replace(volume=7)
        source.candles = (before, whole)
        while source.asked < 2:  # the store's clock can't be moved: a second of it
            await fetcher.terms.hold()
            fetcher.demand.watch([RELIANCE], fetcher.store.now_ms())
            await filler.step()
        await filler.step()
        assert ([before, whole], 2) == (
            await history.minutes(RELIANCE, begun_ms),
            source.asked,
        )


async def test_what_was_seen_is_believed_before_what_is_filled(fetching):
    """A whole minute of ours stands; one with a gap gives way."""
    async with fetching() as hire:
        fetcher = hire()
        keeper, history = keeper_of(fetcher)
        await fetcher.poll()
        at_ms = (await fetcher.held())[RELIANCE].quote.exchange_time_ms
        begun_ms = at_ms - at_ms % MINUTE_MS
        ours = [
            (RELIANCE, Candle(begun_ms, 1, 9, 1, 8, 5)),
            (
                RELIANCE,
                Candle(begun_ms + MINUTE_MS, 1, 9, 1, 8, 5, int(CandleFlag.GAP)),
            ),
        ]
        await keeper.store_minutes(ours)
        filled = int(CandleFlag.FILLED)
        theirs = [
            Candle(begun_ms + n * MINUTE_MS, 3, 3, 3, 3, 3, filled) for n in (0, 1, 2)
        ]
        filler = GapFiller(
            core=fetcher.core,
            sources=[(Minutes(*theirs), fetcher.guards.add("bse", "minutes", "x"))],
            history=history,
            demand=fetcher.demand,
            is_wanted=lambda: True,
            pauses=lambda: 1,
        )
        fetcher.demand.watch([RELIANCE], fetcher.store.now_ms())
        await filler.step()

        assert [ours[0][1], *theirs[1:]] == await history.minutes(RELIANCE, begun_ms)
        assert 2 + 2 == fetcher.count("fetcher_candles")
