"""Demand by hand: the board, readers that miss, and the details of what is hot."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bse_fetcher.loops.follow_demand import AT_ONCE_MAX, DemandFollower
from bse_fetcher.sources.bse.scrip_source import BseDetailSource, BseHeaderSource
from bse_shared.quotes.quote import NUMBER
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.demand_board import DemandBoard


RELIANCE, TCS = 500325, 532540
HEADER = "getScripHeaderData"


@asynccontextmanager
async def serving(fetcher, redis, fetch):
    """Serve misses; yields what to call when a reader misses, which waits until it was heard."""
    board = DemandBoard(redis)
    heard = asyncio.Queue()
    listening, closing = asyncio.Event(), asyncio.Event()

    async def hear():
        async for message in board.missed():
            if closing.is_set():
                return
            listening.set()
            yield message
            if message is not None:
                heard.put_nowait(message)

    follower = DemandFollower(fetcher.core, board, fetcher.demand, hear, fetch)

    async def miss(code):
        is_first = await board.ask(code)
        if is_first:
            await heard.get()
        return is_first

    async with asyncio.TaskGroup() as group:
        group.create_task(follower.serve())
        async with asyncio.timeout(5):
            await listening.wait()
            yield miss
            closing.set()
            await redis.publish(keys.BEAT_CHANNEL, "the end of what is heard")


async def test_watched_scrips_become_hot(fetching, redis):
    """What the hubs report, as soon as the board is read."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        board = DemandBoard(redis)
        await board.report("hub-1", [RELIANCE, TCS], fetcher.store.now_ms())
        await DemandFollower(fetcher.core, board, fetcher.demand, board.missed).step()

        assert [RELIANCE, TCS] == fetcher.demand.hot(fetcher.store.now_ms())


async def test_a_miss_is_asked_for_once_for_the_whole_cluster(
    fetching, exchange, redis
):
    """Ten readers, two fetchers, one request; the price is in the store then."""
    async with fetching() as hire:
        first, standby = hire("fetcher-1"), hire("fetcher-2")
        await first.poll()
        await first.master.step()
        await standby.terms.hold()
        exchange.trade(60)
        fetchers = [first, standby]
        first.clock.advance(8_000)
        fetches = [f.batches(BseHeaderSource(f.source)).fetch for f in fetchers]
        async with (
            serving(first, redis, fetches[0]) as miss,
            serving(standby, redis, fetches[1]),
        ):
            firsts = [await miss(RELIANCE) for _ in range(10)]

        assert [True, *[False] * 9] == firsts
        assert 1 == exchange.asked(HEADER)
        assert (1, 0) == tuple(
            f.count("fetcher_wishes", outcome="served") for f in fetchers
        )


async def test_a_scrip_that_the_list_lacks_gets_its_price(fetching, exchange, redis):
    """That is what a miss is for."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(path="GetMktData", kind="bad_row", scripcode=RELIANCE)
        await fetcher.poll()
        await fetcher.master.step()
        assert RELIANCE not in await fetcher.prices()
        fetch = fetcher.batches(BseHeaderSource(fetcher.source)).fetch
        async with serving(fetcher, redis, fetch) as miss:
            await miss(RELIANCE)

        assert exchange.prices() == await fetcher.prices()


@pytest.mark.parametrize("code", [RELIANCE, 999_999, 0])
async def test_what_is_fresh_or_unknown_is_not_asked_for(
    fetching, exchange, redis, code
):
    """The one comes by the bus, the other does not exist."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fetch = fetcher.batches(BseHeaderSource(fetcher.source)).fetch
        async with serving(fetcher, redis, fetch) as miss:
            await miss(code)

        assert 0 == exchange.asked(HEADER)


async def test_details_of_hot_scrips_do_not_confirm_their_price(fetching, exchange):
    """The range and the average once a day, the book again and again; the price is as old as it was."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fetcher.demand.watch([RELIANCE], 0)
        source = BseDetailSource(fetcher.source, fetcher.clock.wall_ms)
        details = fetcher.batches(source, details=True)
        before = (await fetcher.held())[RELIANCE].quote
        heads = [h.confirmed for h in (await fetcher.store.heads()).shards]
        for _ in range(5):
            await details.ask_due()
            fetcher.clock.advance(3000)

        held = (await fetcher.held())[RELIANCE].quote
        assert (5, 5) == (len(held.bids), len(held.asks))
        assert held.high_52_week_paise >= held.last_paise >= held.low_52_week_paise
        assert None not in {held.average_price_paise, held.lower_circuit_paise}
        assert before[:8] == held[:8]
        assert heads == [h.confirmed for h in (await fetcher.store.heads()).shards]
        assert (1, 1, 3) == tuple(
            exchange.asked(name) for name in ("HighLow", "StockTrading", "MarketDepth")
        )


async def test_answers_under_way_at_the_same_time_are_not_mixed_up(fetching):
    """Each is read as what was asked for, in whatever order they are read."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        source = BseDetailSource(fetcher.source, fetcher.clock.wall_ms)
        wanted = [fetcher.instruments.master.by_code[RELIANCE]]
        bodies = [await source.ask(wanted) for _ in range(3)]
        told = [source.read(body, wanted).seen[RELIANCE] for body in bodies[::-1]]

        assert ["bids", "average_price_paise", "high_52_week_paise"] == [
            next(
                name
                for name in ("bids", "average_price_paise", "high_52_week_paise")
                if NUMBER[name] in fields
            )
            for fields in told
        ]
        assert all(None not in fields.values() for fields in told)


async def test_a_store_that_goes_away_forgets_no_scrip_for_ever(fetching, redis):
    """A miss that was waiting for its turn then is served when the store is back."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fetcher.clock.advance(8_000)
        codes = list(fetcher.instruments.master.by_code)[: AT_ONCE_MAX + 1]
        served, is_away = [], True

        async def hear():
            yield None
            for code in codes:
                yield str(code).encode()

        async def fetch(wanted):
            if not is_away:
                served.extend(wanted)
                return True
            while len(fetcher.demand.hot(fetcher.store.now_ms())) < len(codes):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
            raise StoreUnavailable("gone")

        follower = DemandFollower(
            fetcher.core, DemandBoard(redis), fetcher.demand, hear, fetch
        )
        with pytest.raises(StoreUnavailable):
            await follower.serve()
        is_away = False
        await follower.serve()

        assert sorted(codes) == sorted(served)
