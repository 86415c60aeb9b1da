"""Orders by hand: what the loops do while one is in force, and after it."""

import pytest

from bse_fetcher.loops.obey import Obedience
from bse_fetcher.source_settings import YahooSettings
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.wire.records import OrderRecord, to_json


def obedience_of(fetcher):
    """What makes the fetcher obey."""
    controls = FetcherControls(fetcher.redis)
    return Obedience(controls, fetcher.core.orders, lambda: fetcher.terms.leads)


async def order(fetcher, **what):
    """Give an order, and let the fetcher read it."""
    controls = FetcherControls(fetcher.redis)
    at_ms = fetcher.store.now_ms()
    await controls.give(OrderRecord(by="asha", at_ms=at_ms, **what), 60)
    await obedience_of(fetcher).step()


async def order_ends(fetcher):
    """The order's time is over."""
    await fetcher.redis.delete(keys.FETCHER_ORDER)
    await obedience_of(fetcher).step()


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


async def test_every_order_is_in_the_log_also_one_given_by_hand(fetching):
    """Once, by the fetcher that leads; what `give` logged already is not logged again."""
    async with fetching() as hire:
        leader, standby = hire("leader"), hire("standby")
        await leader.poll()
        await standby.terms.hold()
        controls = FetcherControls(leader.redis)
        given = OrderRecord(by="asha", at_ms=1, pause=True)
        await controls.give(given, 60)
        obediences = [obedience_of(standby), obedience_of(leader)]
        for each in obediences * 2:
            await each.step()
        assert [given] == await controls.log()

        by_hand = OrderRecord(by="ravi", at_ms=0, freeze=True, why="exchange test")
        await leader.redis.set(keys.FETCHER_ORDER, to_json(by_hand), ex=60)
        await obediences[0].step()
        assert [given] == await controls.log()
        for each in (*obediences * 2, obedience_of(leader)):
            await each.step()
        assert [given, by_hand] == await controls.log()


@pytest.mark.parametrize("what", [{"pause": True}, {"freeze": True}])
async def test_one_that_takes_over_does_nothing_before_it_knows_the_order(
    fetching, exchange, what
):
    """A fetcher that was just started must not poll once into a market that an operator stopped."""
    async with fetching() as hire:
        first, second = hire("fetcher-1"), hire("fetcher-2")
        await first.poll()
        held = await first.prices()
        await order(first, **what)
        await first.terms.release()
        second.core.orders.known = False
        exchange.trade()
        await second.poll()
        await second.master.step()
        assert (1, 0) == (exchange.asked(), exchange.asked("ListofScripData"))

        await obedience_of(second).step()
        await second.poll()
        assert held == await second.prices()
        await order_ends(second)
        await second.poll()
        assert exchange.prices() == await second.prices()
