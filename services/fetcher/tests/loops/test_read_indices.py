"""When the indices are read, and that what does not come keeps its last value."""

from bse_fetcher.loops.read_indices import IndexReader
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.wire.records import OrderRecord


SENSEX = "GetSensexData"
INTERVAL_S = 30.0


class Reading:
    """A reader of the indices, and what it stored."""

    def __init__(self, fetcher):
        self.fetcher = fetcher
        self.is_closed = False
        self.history = MarketHistory(fetcher.redis, fetcher.clock, fetcher.store.shards)
        self.reader = IndexReader(
            core=fetcher.core,
            source=fetcher.source,
            guard=fetcher.guards.add("bse", "indices", "indices"),
            history=self.history,
            is_closed=lambda: self.is_closed,
            interval_s=INTERVAL_S,
        )

    async def values(self):
        """What is stored, after a step."""
        await self.reader.step()
        return await self.history.indices()


async def test_they_are_read_as_soon_as_this_fetcher_is_active(fetching, exchange):
    """Not an interval later, because the first step came before the leases were held."""
    async with fetching() as hire:
        fetcher = hire()
        reading = Reading(fetcher)
        assert {} == await reading.values()
        await fetcher.terms.hold()
        found = await reading.values()

        assert found["SENSEX"].low <= found["SENSEX"].last <= found["SENSEX"].high
        assert 1 == exchange.asked(SENSEX)


async def test_who_becomes_active_again_reads_at_once(fetching, exchange):
    """Nobody knows what was read in between."""
    async with fetching() as hire:
        fetcher = hire()
        reading = Reading(fetcher)
        await fetcher.terms.hold()
        await reading.values()
        fetcher.terms.lose_all("test")
        await fetcher.redis.flushall()
        await fetcher.terms.hold()
        assert await reading.values()
        assert 2 == exchange.asked(SENSEX)


async def test_they_are_read_once_in_an_interval(fetching, exchange):
    """However often the loop steps."""
    async with fetching() as hire:
        fetcher = hire()
        reading = Reading(fetcher)
        await fetcher.terms.hold()
        await reading.values()
        fetcher.clock.advance(INTERVAL_S * 1000 - 1)
        await reading.values()
        assert 1 == exchange.asked(SENSEX)
        fetcher.clock.advance(1)
        await reading.values()
        assert 2 == exchange.asked(SENSEX)


async def test_what_a_budget_spared_is_asked_for_when_it_may(fetching, exchange):
    """And not an interval later."""
    async with fetching() as hire:
        fetcher = hire()
        reading = Reading(fetcher)
        await fetcher.terms.hold()
        await fetcher.budgets.block("bse", 4)
        assert {} == await reading.values()
        assert 0 == exchange.asked(SENSEX)
        await fetcher.later(4001)
        assert await reading.values()


async def test_a_useless_answer_leaves_the_last_values(fetching, exchange):
    """It is not asked again before the interval is over."""
    async with fetching() as hire:
        fetcher = hire()
        reading = Reading(fetcher)
        await fetcher.terms.hold()
        before = await reading.values()
        await exchange.arm(path=SENSEX, kind="html_200")
        await fetcher.later(INTERVAL_S * 1000)
        assert before == await reading.values()
        assert before == await reading.values()
        assert 2 == exchange.asked(SENSEX)


async def test_after_the_close_they_are_read_once(fetching, exchange):
    """The closing values; again where another fetcher takes over, for nobody knows what it had."""
    async with fetching() as hire:
        fetcher = hire()
        reading = Reading(fetcher)
        await fetcher.terms.hold()
        await reading.values()
        reading.is_closed = True
        exchange.trade(30)
        for _ in range(3):
            await fetcher.later(INTERVAL_S * 1000)
            await reading.values()
        assert 2 == exchange.asked(SENSEX)
        fetcher.terms.lose_all("test")
        await fetcher.redis.flushall()
        await fetcher.terms.hold()
        assert await reading.values()
        assert 3 == exchange.asked(SENSEX)


async def test_frozen_values_are_not_stored(fetching):
    """Whoever froze the feed froze the indices too."""
    async with fetching() as hire:
        fetcher = hire()
        reading = Reading(fetcher)
        await fetcher.terms.hold()
        fetcher.core.orders.record = OrderRecord(by="test", at_ms=0, freeze=True)
        assert {} == await reading.values()
