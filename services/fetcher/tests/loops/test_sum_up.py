"""The summary of the stand-in's market, by one fetcher and by several."""

from bse_fetcher.loops.sum_up import INTERVAL_MS, Summariser
from bse_fetcher.source_settings import KiteSettings
from bse_fetcher.sources.kite.source import KiteSource
from bse_shared.redis_edge.market_history import MarketHistory


SCRIPS = 40


def summariser_of(fetcher):
    """One that hears what the fetcher commits."""
    history = MarketHistory(fetcher.redis, fetcher.clock, fetcher.store.shards)
    summariser = Summariser(fetcher.core, history)
    fetcher.publisher.listeners.append(summariser.took)
    return summariser, history


async def test_the_market_is_summed_up_by_its_one_writer(fetching, exchange):
    """A standby says nothing."""
    async with fetching() as hire:
        fetcher, standby = hire("fetcher-1"), hire("fetcher-2")
        summariser, history = summariser_of(fetcher)
        await summariser_of(standby)[0].step()
        assert await history.summary() is None
        await fetcher.poll()
        await summariser.step()

        found = await history.summary()
        assert SCRIPS == (
            found.advances + found.declines + found.unchanged + found.untraded
        )
        best = found.gainers[0]
        assert fetcher.instruments.master.symbol_of(best.code) == best.symbol
        assert exchange.prices()[best.code] == best.last_paise


async def test_it_is_made_once_an_answer(fetching, exchange, redis):
    """And not more often than its interval, however many answers there are."""
    async with fetching() as hire:
        fetcher = hire()
        summariser, history = summariser_of(fetcher)
        await fetcher.poll()
        await summariser.step()
        await redis.delete("bse:summary")
        fetcher.clock.advance(INTERVAL_MS)
        await summariser.step()
        assert await history.summary() is None

        exchange.trade()
        await fetcher.poll()
        await summariser.step()
        first = await history.summary()
        assert first is not None
        await redis.delete("bse:summary")
        summariser.took(None)
        await summariser.step()
        assert await history.summary() is None


async def test_fetchers_that_share_the_market_sum_it_up_together(fetching, exchange):
    """Each its shards; the one that leads joins them, and says nothing before it has them all."""
    async with fetching() as hire:
        fetchers = [hire(f"fetcher-{n}", shared=True) for n in (1, 2)]
        for _ in range(3):
            for each in fetchers:
                await each.terms.hold()
        summarisers = []
        for each in fetchers:
            await each.core.is_our_turn()
            if each.terms.leads:
                await each.master.step()
        for each in fetchers:
            each.instruments.load(await each.store.instruments(), 0)
            summarisers.append(summariser_of(each))
            kite = KiteSource(
                each.http,
                KiteSettings(
                    base_url=exchange.url, api_key="key", access_token="access"
                ),
            )
            poller = each.batches(kite, "primary")
            codes = [c for c in each.instruments.master.by_code if each.terms.holds(c)]
            assert codes
            assert await poller.fetch(codes)
        (first, history), (second, _) = summarisers
        assert [True, False] == [each.terms.leads for each in fetchers]
        await first.step()
        assert await history.summary() is None

        await second.step()
        first.took(None)
        fetchers[0].clock.advance(INTERVAL_MS)
        await first.step()

        found = await history.summary()
        assert SCRIPS == (
            found.advances + found.declines + found.unchanged + found.untraded
        )
        prices = exchange.prices()
        codes = {mover.code for mover in found.most_active}
        for each in fetchers:
            assert any(each.terms.holds(code) for code in codes)
        assert all(prices[m.code] == m.last_paise for m in found.gainers)
