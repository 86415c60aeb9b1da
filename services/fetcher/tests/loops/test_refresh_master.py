"""The daily list, and the one writer of the master."""

import asyncio

import pytest

from bse_fetcher.loops.refresh_master import REFRESH_S, RETRY_MAX_S, RETRY_S
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import StoreUnavailable


LIST = "ListofScripData"


async def test_the_list_is_read_once_and_stored(fetching, exchange):
    """ISINs come from it alone; a day passes before it is asked again."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await fetcher.master.step()
        stored = await fetcher.store.instruments()

        assert "INE002A01018" == stored.by_code[500325].isin
        assert 40 == len(stored)
        assert fetcher.instruments.saved
        fetcher.clock.advance(REFRESH_S * 1000 - 1)
        await fetcher.master.step()
        assert 1 == exchange.asked(LIST)
        fetcher.clock.advance(1)
        await fetcher.master.step()
        assert 2 == exchange.asked(LIST)


async def test_a_standby_reads_no_list(fetching, exchange):
    """Nor does an active one that has not yet read what is stored."""
    async with fetching() as hire:
        active, standby = hire("fetcher-1"), hire("fetcher-2")
        await active.terms.hold()
        await active.master.step()
        await standby.terms.hold()
        await standby.poller.step()
        await standby.master.step()

        assert 0 == exchange.asked(LIST)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"kind": "forbidden"}, "master_forbidden"),
        ({"kind": "html_200"}, "master_html"),
        ({"kind": "truncated"}, "master_truncated"),
        ({"kind": "missing_field", "field": "scrip_id", "rows": "all"}, "master_empty"),
    ],
)
async def test_a_list_that_does_not_come_is_asked_for_less_and_less(
    fetching, exchange, fault, outcome
):
    """What is known stays, and the exchange is left alone for longer each time."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        known = fetcher.instruments.master
        await exchange.arm(path=LIST, **fault)
        waits_s = []
        for _ in range(8):
            await fetcher.master.step()
            waits_s.append((fetcher.master.due_ms - fetcher.clock.monotonic_ms()) / 1e3)
            await fetcher.later(waits_s[-1] * 1000)

        assert [RETRY_S * 2**n for n in range(6)] == waits_s[:6]
        assert [RETRY_MAX_S] * 2 == waits_s[6:]
        assert 8 == fetcher.polls(outcome)
        assert known is fetcher.instruments.master

        await exchange.heal()
        await fetcher.master.step()
        assert "INE002A01018" == fetcher.instruments.master.by_code[500325].isin


async def test_a_pause_that_the_exchange_asks_for_is_kept(fetching, exchange):
    """Where it is longer than ours."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await exchange.arm(path=LIST, kind="too_many_requests", retry_after_s=600)
        await fetcher.master.step()

        assert 600_000 == fetcher.master.due_ms - fetcher.clock.monotonic_ms()


async def test_a_list_that_comes_after_the_end_of_the_term_is_not_written(
    fetching, exchange, redis
):
    """The next one may have written a newer one meanwhile."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await exchange.arm(path=LIST, kind="hang")
        async with asyncio.TaskGroup() as group:
            group.create_task(fetcher.master.step())
            await exchange.struck()
            fetcher.terms.lose_all("a test")
            await exchange.heal()

        assert 1 == exchange.asked(LIST)
        assert 0 == await redis.exists(keys.INSTRUMENTS)


async def test_a_bad_row_of_the_list_costs_nobody_else(fetching, exchange):
    """The other listings are known."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await exchange.arm(path=LIST, kind="bad_row", problem="not_object")
        await fetcher.master.step()

        isins = [each.isin for each in fetcher.instruments.master.by_code.values()]
        assert [""] == [isin for isin in isins if not isin]


async def test_names_of_the_market_are_saved_without_the_list(fetching, exchange):
    """A scrip listed today is known to readers although the exchange gives no list."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(path=LIST, kind="server_error")
        await fetcher.poll()
        await fetcher.master.step()

        assert "RELIANCE" == (await fetcher.store.instruments()).by_code[500325].symbol
        assert fetcher.instruments.saved


async def test_a_store_that_fails_does_not_cost_another_list(fetching, exchange, redis):
    """The list is kept until it could be saved; the exchange is not asked twice for it."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await redis.set(keys.INSTRUMENTS, "not a hash")
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await fetcher.master.step()
        await redis.delete(keys.INSTRUMENTS)
        await fetcher.master.step()

        assert 1 == exchange.asked(LIST)
        assert (
            "INE002A01018" == (await fetcher.store.instruments()).by_code[500325].isin
        )


async def test_one_who_lost_the_market_writes_no_master(fetching, redis):
    """The list came after the end of the term: it is the next one's to write."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fetcher.terms.lose_all("a test")
        await fetcher.master.step()

        assert 0 == await redis.exists(keys.INSTRUMENTS)
