"""Orders by hand: what the loops do while one is in force, and after it."""

from bse_fetcher.loops.obey import Obedience
from bse_fetcher.source_settings import YahooSettings
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.wire.records import OrderRecord


async def order(fetcher, **what):
    """Give an order, and let the fetcher read it."""
    controls = FetcherControls(fetcher.redis)
    at_ms = fetcher.store.now_ms()
    await controls.give(OrderRecord(by="asha", at_ms=at_ms, **what), 60)
    await Obedience(controls, fetcher.core.orders).step()


async def order_ends(fetcher):
    """The order's time is over."""
    await fetcher.redis.delete(keys.FETCHER_ORDER)
    await Obedience(FetcherControls(fetcher.redis), fetcher.core.orders).step()


async def test_a_pause_asks_nobody_until_it_ends(fetching, exchange):
    """The last values stay and grow old; the feed says who did it."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        before = await fetcher.prices()
        await order(fetcher, pause=True)
        exchange.trade()
        await fetcher.poll()
        await fetcher.master.step()
        assert (1, 0) == (exchange.asked(), exchange.asked("ListofScripData"))
        assert before == await fetcher.prices()
        assert "failing" == fetcher.feed.state(fetcher.session)
        assert fetcher.feed.last_error.startswith("paused by asha for")

        await order_ends(fetcher)
        await fetcher.poll()
        assert exchange.prices() == await fetcher.prices()
        assert "ok" == fetcher.feed.state(fetcher.session)


async def test_frozen_values_stand_while_the_source_is_asked(fetching, exchange):
    """Nothing is confirmed: a frozen price must not look fresh."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        heads = (await fetcher.store.heads()).shards
        await order(fetcher, freeze=True)
        exchange.trade()
        await fetcher.poll()

        assert 2 == exchange.asked()
        assert heads == (await fetcher.store.heads()).shards
        await order(fetcher)
        await fetcher.poll()
        assert exchange.prices() == await fetcher.prices()


async def test_a_forced_source_is_the_only_one(fetching, exchange):
    """The backup works although the primary is well, and not at all when the primary is forced."""
    async with fetching() as hire:
        fetcher = hire()
        urls = {"base_url": exchange.url, "cookie_url": f"{exchange.url}/yahoo-cookie"}
        backup = fetcher.batches(
            YahooSource(fetcher.http, YahooSettings(**urls)), is_wanted=lambda: False
        )
        await fetcher.poll()
        await order(fetcher, source="yahoo")
        exchange.trade()
        await fetcher.poll()
        await backup.ask_due()
        held = await fetcher.held()
        assert {Source.YAHOO} == {image.quote.source for image in held.values()}
        assert 1 == exchange.asked()

        await order(fetcher, source="bse")
        backup.is_wanted = lambda: True
        fetcher.clock.advance(300_000)
        await backup.ask_due()
        assert 1 == exchange.asked("yahoo quotes")


async def test_poll_now_polls_once(fetching, exchange):
    """In the middle of an interval, and then in the usual rhythm."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await order(fetcher, poll_now=True)
        for _ in range(3):
            await fetcher.poller.step()

        assert 2 == exchange.asked()
