"""A replica that takes over knows nothing of the circuits of the one before: what the source feels of that."""

import pytest

from bse_shared.redis_edge import keys


INTERVAL_MS = 3000
FIRST_TRIES = 4


async def take_over(one, other):
    """The one goes, the other has its shards."""
    await one.terms.release()
    await other.terms.hold()
    assert other.terms.active


async def poll_for(fetcher, intervals):
    """Poll for so many intervals of this fetcher's time; the store's own clock, which blocks go by, stands still."""
    for _ in range(intervals * 10):
        await fetcher.terms.hold()
        await fetcher.poller.step()
        fetcher.clock.advance(INTERVAL_MS / 10)


@pytest.mark.parametrize(
    "fault",
    [{"kind": "forbidden"}, {"kind": "too_many_requests", "retry_after_s": 600}],
    ids=lambda fault: fault["kind"],
)
async def test_a_block_outlives_the_one_who_met_it(fetching, exchange, fault):
    """However often the replicas change, nobody asks until the source's own time is over."""
    async with fetching() as hire:
        fetchers = [hire(f"fetcher-{n}") for n in range(3)]
        first, second, third = fetchers
        await first.poll()
        await exchange.arm(path="GetMktData", **fault)
        await first.poll()
        assert 2 == exchange.asked()
        for one, other in ((first, second), (second, third), (third, first)):
            await take_over(one, other)
            await poll_for(other, 5)
        assert 2 == exchange.asked()
        assert all(fetcher.feed.failures for fetcher in fetchers[1:])

        await exchange.heal()
        await third.redis.delete(keys.source_budget("bse"))  # as its time does
        exchange.trade()
        await take_over(first, second)
        second.clock.advance(600_000)
        await second.poller.step()
        assert exchange.prices() == await second.prices()


async def test_an_outage_is_met_anew_and_politely(fetching, exchange):
    """Each new one finds out with a few tries, then asks once an interval."""
    async with fetching() as hire:
        first, second = hire("fetcher-1"), hire("fetcher-2")
        await first.poll()
        await exchange.arm(path="GetMktData", kind="server_error")
        for one, other in ((second, first), (first, second)):
            await take_over(one, other)
            before = exchange.asked()
            await poll_for(other, 10)
            assert FIRST_TRIES < exchange.asked() - before <= FIRST_TRIES + 10

        await exchange.heal()
        exchange.trade()
        await poll_for(second, 1)
        assert exchange.prices() == await second.prices()
