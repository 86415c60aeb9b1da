"""Batch sources by hand: as the backup of a list source, and as the primary that replicas share."""

import asyncio
from typing import get_type_hints

import msgspec
import pytest

from bse_fetcher.loops.poll_batches import AT_ONCE_MAX, STEP_S
from bse_fetcher.polling.circuit import Circuit, CircuitRules
from bse_fetcher.polling.frozen import FrozenTrades
from bse_fetcher.settings import FetcherSettings
from bse_fetcher.source_settings import KiteSettings, YahooSettings
from bse_fetcher.sources.bse.scrip_source import BseHeaderSource
from bse_fetcher.sources.guard import Guards
from bse_fetcher.sources.kite.source import KiteSource
from bse_fetcher.sources.registry import budgets_of, on_demand
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.source_budgets import SourceBudgets
from bse_shared.wire.records import BatchRecord, OrderRecord


PATIENCE_S = 1.5
RELIANCE = 500325


def yahoo_of(fetcher, exchange, **settings):
    """Yahoo at the stand-in."""
    urls = {"base_url": exchange.url, "cookie_url": f"{exchange.url}/yahoo-cookie"}
    return YahooSource(fetcher.http, YahooSettings(**urls, **settings))


def kite_of(fetcher, exchange, symbols_max=500):
    """The broker at the stand-in."""
    settings = KiteSettings(
        base_url=exchange.url,
        api_key="key",
        access_token="access",
        symbols_max=symbols_max,
    )
    return KiteSource(fetcher.http, settings)


def backup_of(fetcher, exchange):
    """Yahoo as the backup of the poller."""
    return fetcher.batches(
        yahoo_of(fetcher, exchange),
        is_wanted=lambda: fetcher.poller.is_late(PATIENCE_S),
    )


async def records(redis):
    """All batch records."""
    found = [await redis.get(key) async for key in redis.scan_iter("stock:batch:*")]
    return [msgspec.json.decode(data, type=BatchRecord) for data in found]


@pytest.mark.parametrize("fault", ["server_error", "html_200", "truncated", "down"])
async def test_the_backup_steps_in_and_back(fetching, exchange, fault):
    """A primary that is ill is replaced after an interval and the patience, and is back with its first answer."""
    async with fetching() as hire:
        fetcher = hire()
        backup = backup_of(fetcher, exchange)
        await fetcher.poll()
        await backup.ask_due()
        assert 0 == exchange.asked("yahoo quotes")

        await exchange.arm(path="GetMktData", kind=fault)
        exchange.trade()
        fetcher.clock.advance(4501)
        await fetcher.poller.step()
        await backup.ask_due()
        held = await fetcher.held()
        assert exchange.prices() == await fetcher.prices()
        assert {Source.YAHOO} == {image.quote.source for image in held.values()}
        assert "failing" == fetcher.feed.state(fetcher.session)

        await exchange.heal()
        exchange.trade()
        await fetcher.poll()
        await backup.ask_due()
        held = await fetcher.held()
        assert exchange.prices() == await fetcher.prices()
        assert {Source.BSE} == {image.quote.source for image in held.values()}
        assert 1 == exchange.asked("yahoo quotes")


async def test_a_primary_that_hangs_is_not_waited_for(fetching, exchange):
    """The backup's prices are there while the primary is still being asked; what comes late changes nothing."""
    async with fetching() as hire:
        fetcher = hire()
        backup = backup_of(fetcher, exchange)
        await fetcher.poll()
        exchange.trade()
        await exchange.arm(path="GetMktData", kind="hang")
        fetcher.clock.advance(3000)
        async with asyncio.TaskGroup() as group:
            group.create_task(fetcher.poller.step())
            await exchange.struck()
            await backup.ask_due()
            assert 0 == exchange.asked("yahoo quotes")
            fetcher.clock.advance(1501)
            await backup.ask_due()
            assert exchange.prices() == await fetcher.prices()
            await exchange.heal()

        assert exchange.prices() == await fetcher.prices()
        assert 2 == fetcher.polls("ok") - 1


async def test_an_answer_of_the_backup_that_comes_late_is_left_out(fetching, exchange):
    """The primary confirmed the prices meanwhile: the backup's older word is not wanted."""
    async with fetching() as hire:
        fetcher = hire()
        backup = fetcher.batches(yahoo_of(fetcher, exchange))
        await fetcher.poll()
        await exchange.arm(path="finance/quote", kind="hang")
        async with asyncio.TaskGroup() as group:
            group.create_task(backup.ask_due())
            await exchange.struck()
            fetcher.clock.advance(3000)
            await fetcher.poller.step()
            await exchange.heal()

        held = await fetcher.held()
        assert {Source.BSE} == {image.quote.source for image in held.values()}


async def test_each_batch_leaves_its_status(fetching, exchange, redis):
    """Which scrips, when, and what became of it; five minutes."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        batches = fetcher.batches(kite_of(fetcher, exchange, symbols_max=15))
        await batches.ask_due()
        await exchange.arm(path="/quote", kind="server_error")
        fetcher.clock.advance(300_000)
        await batches.ask_due()

        found = sorted(await records(redis), key=lambda each: each.batch_id)
        assert ["stored", "failed"] == [each.state for each in found]
        good, bad = found
        assert (15, 15, 0, "kite", "fetcher-1") == (
            len(good.codes),
            good.seen,
            good.rejected,
            good.source,
            good.fetcher,
        )
        assert good.asked_at_ms <= good.done_at_ms
        assert "server_error: HTTP 500" == bad.error
        ttl = await redis.ttl(keys.batch(good.batch_id))
        assert 290 < ttl <= keys.BATCH_STATUS_TTL_S


def primary(fetcher, exchange, **settings):
    """The broker as the primary."""
    return fetcher.batches(
        kite_of(fetcher, exchange, **settings), "primary", feed=fetcher.feed
    )


async def alone(hire, exchange, **settings):
    """The only one of the sharers: it holds all shards. With its poller."""
    fetcher = hire("f", shared=True)
    await fetcher.terms.hold()
    return fetcher, primary(fetcher, exchange, **settings)


@pytest.fixture
def sharing(redis):
    """Fetchers that share the shards, with a master in the store: `async with fetching() as hire`."""

    async def prepare(hire):
        first = hire("lister")
        await first.poll()
        await first.master.step()
        await first.terms.release()
        await redis.delete(*[keys.quotes(shard) for shard in range(4)])

    return prepare


async def test_replicas_split_the_shards_evenly(fetching, sharing):
    """One has all, two have half each, three as evenly as it goes; one that leaves gives its share back."""
    async with fetching() as hire:
        await sharing(hire)
        fetchers = [hire(f"f{n}", shared=True) for n in range(3)]
        shares = []
        for present in (1, 2, 3):
            for _ in range(3):
                for fetcher in fetchers[:present]:
                    await fetcher.terms.hold()
            shares.append([len(f.terms.writers) for f in fetchers[:present]])
        await fetchers[0].terms.leave()
        for _ in range(3):
            for fetcher in fetchers[1:]:
                await fetcher.terms.hold()

        assert [[4], [2, 2], [2, 1, 1]] == [sorted(s, reverse=True) for s in shares]
        assert [2, 2] == [len(f.terms.writers) for f in fetchers[1:]]
        assert 1 == sum(f.terms.leads for f in fetchers)


async def test_sharers_ask_for_their_own_scrips_only(fetching, exchange, sharing):
    """Together they store the whole market; no scrip is asked for twice."""
    async with fetching() as hire:
        await sharing(hire)
        fetchers = [hire(f"f{n}", shared=True) for n in range(2)]
        for _ in range(3):
            for fetcher in fetchers:
                await fetcher.terms.hold()
        pollers = [primary(fetcher, exchange) for fetcher in fetchers]
        for poller in pollers:
            await poller.ask_due()

        asked = [set(each.codes) for each in await records(fetchers[0].redis)]
        assert 2 == len(asked)
        assert not asked[0] & asked[1]
        assert exchange.prices() == await fetchers[0].prices()
        assert 40 == len(asked[0] | asked[1])
        assert "ok" == fetchers[0].feed.state(fetchers[0].session)


async def test_the_shards_of_one_that_died_move_to_the_others(
    fetching, exchange, sharing
):
    """As soon as its leases and its sign of life are over."""
    async with fetching() as hire:
        await sharing(hire)
        dead, alive = hire("dead", shared=True), hire("alive", shared=True)
        for _ in range(3):
            for fetcher in (dead, alive):
                await fetcher.terms.hold()
        taken = dict(dead.terms.writers)
        for shard in taken:
            await dead.redis.delete(
                keys.lease(shard)
            )  # what the server does after the TTL
        await dead.redis.zrem(keys.FETCHERS, "dead")
        await alive.terms.hold()
        poller = primary(alive, exchange)
        await poller.ask_due()
        exchange.trade()
        late = primary(dead, exchange)
        held = await alive.prices()
        await late.ask_due()  # it was only frozen, and wakes up

        assert 4 == len(alive.terms.writers)
        assert exchange.prices() != held == await alive.prices()
        assert {} == dead.terms.writers
        assert len(taken) == dead.count("fetcher_fenced")


async def test_the_exchange_does_not_feel_how_much_is_watched(fetching, exchange):
    """A list source is asked once an interval, whoever watches what."""
    async with fetching() as hire:
        asked = []
        for watched in (0, 1000):
            fetcher = hire()
            fetcher.demand.watch(range(500_000, 500_000 + watched), 0)
            before = sum(exchange.simulator.by_endpoint.values())
            for _ in range(10):
                await fetcher.poll()
            asked.append(sum(exchange.simulator.by_endpoint.values()) - before)
            await fetcher.terms.release()

        assert [10, 10] == asked


async def test_a_store_that_fails_backs_the_loop_off(fetching, exchange, sharing):
    """It is no bug: the loop must see the one error that it knows."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange, symbols_max=10)
        await poller.core.is_our_turn()
        for shard in range(4):
            await fetcher.redis.set(keys.quotes(shard), "not a hash")
        with pytest.raises(StoreUnavailable):
            await poller.ask_due()

        assert not fetcher.terms.active


async def test_a_slow_batch_holds_up_no_other(fetching, exchange, sharing):
    """While one hangs, the others of that step and of the next ones are stored."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange, symbols_max=10)
        await exchange.arm(path="/quote", kind="hang", times=1)
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(poller.run())
            while len(await fetcher.prices()) < 30:
                fetcher.clock.advance(100)  # the steps are paced by this clock
            fetcher.clock.advance(300_000)
            exchange.trade()
            true = exchange.prices()
            while sum(true[c] == p for c, p in (await fetcher.prices()).items()) < 30:
                fetcher.clock.advance(100)
            states = {each.state for each in await records(fetcher.redis)}
            assert {"asked", "stored"} == states
            slow.cancel()
        await exchange.heal()


async def test_a_source_that_is_too_slow_is_asked_less(fetching, exchange, sharing):
    """There is a limit to what is under way."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange, symbols_max=1)
        await exchange.arm(path="/quote", kind="hang")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(poller.start(group)) for _ in range(40)]
            while len(await records(fetcher.redis)) < AT_ONCE_MAX:
                pass
            await asyncio.wait(tasks)
            fetcher.clock.advance(300_000)
            await poller.start(group)
            assert AT_ONCE_MAX == len(await records(fetcher.redis))
            await exchange.heal()

        await poller.ask_due()
        assert AT_ONCE_MAX < len(await records(fetcher.redis))


async def test_one_that_shares_takes_the_master_that_another_wrote(fetching, exchange):
    """It may have begun before there was one."""
    async with fetching() as hire:
        leader, other = (hire(f"f{n}", shared=True) for n in range(2))
        for _ in range(3):
            for fetcher in (leader, other):
                await fetcher.terms.hold()
        assert leader.terms.leads
        for fetcher in (other, leader, other):
            await fetcher.core.is_our_turn()
            await fetcher.master.step()

        assert 40 == len(other.instruments.master)
        assert 1 == exchange.asked("ListofScripData")


async def test_a_poller_whose_batches_never_end_falls_silent(
    fetching, exchange, sharing
):
    """While there is room for a batch more it tells that it lives; when none ever ends, the liveness probe fails."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher = hire("f", shared=True)
        await fetcher.terms.hold()
        told = asyncio.Queue()
        poller = primary(fetcher, exchange, symbols_max=1)
        poller.alive = lambda: told.put_nowait("alive")
        await exchange.arm(path="/quote", kind="hang")
        async with asyncio.TaskGroup() as group:
            running = group.create_task(poller.run())
            await told.get()
            while len(await records(fetcher.redis)) < AT_ONCE_MAX:
                fetcher.clock.advance(100)
            while not told.empty():
                told.get_nowait()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(3 * STEP_S):
                    await told.get()

            await exchange.heal()
            await told.get()
            running.cancel()


async def test_poll_now_reaches_a_source_that_is_forced(fetching, exchange):
    """The primary is not asked then: it is the forced one that the order means, once."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        backup = backup_of(fetcher, exchange)
        orders = fetcher.core.orders
        orders.record = OrderRecord(by="asha", at_ms=1, source="yahoo")
        await backup.ask_due()
        await backup.ask_due()
        assert 1 == exchange.asked("yahoo quotes")
        orders.record = OrderRecord(by="asha", at_ms=2, source="yahoo", poll_now=True)
        for _ in range(3):
            await fetcher.poller.step()
            await backup.ask_due()

        assert 2 == exchange.asked("yahoo quotes")


@pytest.mark.parametrize("order", [{"source": "yahoo"}, {"pause": True}])
async def test_what_a_reader_misses_is_not_asked_of_a_source_that_is_ruled_out(
    fetching, exchange, order
):
    """Only the forced one is asked for prices; none while all are paused."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        header = fetcher.batches(BseHeaderSource(fetcher.source), "on demand")
        fetcher.core.orders.record = OrderRecord(by="asha", at_ms=1, **order)
        assert not await header.fetch_missed([500325])
        assert 0 == exchange.asked("getScripHeaderData")

        fetcher.core.orders.record = None
        assert await header.fetch_missed([500325])


async def test_a_miss_is_not_asked_for_again_by_the_schedule(
    fetching, exchange, sharing
):
    """It becomes hot, but it was asked for just now; what the miss's budget refused comes with the batches."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange)
        poller.missed = fetcher.guards.add("kite", "misses", "on demand", "kite misses")
        await poller.ask_due()
        known = list(exchange.prices())
        reached = [await poller.fetch_missed([code]) for code in known[:3]]
        assert [True, True, False] == reached
        for code in known[:3]:
            fetcher.demand.miss(code, fetcher.store.now_ms())
        before = {each.batch_id for each in await records(fetcher.redis)}
        await poller.ask_due()

        new = [e for e in await records(fetcher.redis) if e.batch_id not in before]
        assert [known[2:3]] == [each.codes for each in new]


async def test_misses_do_not_take_the_place_of_the_market(fetching, exchange):
    """Readers that miss hundreds of scrips have a budget of their own; the poll and the feed's state don't notice."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        budgets = budgets_of(
            FetcherSettings(
                *(part() for part in get_type_hints(FetcherSettings).values())
            )
        )
        fetcher.budgets = SourceBudgets(
            fetcher.redis, fetcher.clock, fetcher.store.store_clock, budgets
        )
        guards = Guards(
            fetcher.budgets,
            fetcher.clock,
            lambda: Circuit(CircuitRules(), lambda: 0.5),
            fetcher.metrics,
        )
        await fetcher.redis.delete(keys.source_budget("bse"))
        fetcher.poller.guard = guards.add("bse", "market", "primary")
        header = fetcher.batches(BseHeaderSource(fetcher.source), "on demand")
        header.guard = guards.add("bse", "header", "on demand", on_demand("bse"))
        fetcher.clock.advance(3000)
        for code in exchange.prices():
            await header.fetch_missed([code])
        exchange.trade()
        await fetcher.poller.step()

        assert 1 == exchange.asked("getScripHeaderData")
        assert exchange.prices() == await fetcher.prices()


async def test_a_store_that_lost_everything_is_filled_again_at_once(
    fetching, exchange, sharing
):
    """Cold scrips were asked for a moment ago, but the store knows nothing of it any more."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange)
        await poller.ask_due()
        assert exchange.prices() == await fetcher.prices()
        await fetcher.redis.flushall()
        await fetcher.terms.hold()
        assert {} == await fetcher.prices()
        await poller.ask_due()
        assert exchange.prices() == await fetcher.prices()

        # And nothing is asked twice where nothing was lost.
        await fetcher.terms.release()
        await fetcher.terms.hold()
        await poller.ask_due()
        assert 2 == exchange.asked("kite quotes")


async def test_what_the_store_refused_is_asked_for_again(fetching, exchange, sharing):
    """An answer that could not be stored is no answer: a cold scrip does not wait for minutes."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange)
        await poller.core.is_our_turn()
        for shard in range(4):
            await fetcher.redis.set(keys.quotes(shard), "not a hash")
        with pytest.raises(StoreUnavailable):
            await poller.ask_due()
        await fetcher.redis.delete(*(keys.quotes(shard) for shard in range(4)))
        poller._met = dict(fetcher.terms.writers)
        await fetcher.redis.delete(*(keys.lease(shard) for shard in range(4)))
        await fetcher.terms.hold()
        await poller.ask_due()

        assert exchange.prices() == await fetcher.prices()


async def test_a_cold_batch_that_failed_comes_soon(fetching, exchange, sharing):
    """A source that was ill for a moment costs seconds, not the tier's five minutes."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange, symbols_max=10)
        await exchange.arm(path="/quote", kind="server_error", times=2)
        for _ in range(4):
            await poller.ask_due()
            fetcher.clock.advance(100)
        assert 20 == len(await fetcher.prices())
        fetcher.clock.advance(3000)
        for _ in range(2):
            await poller.ask_due()

        assert exchange.prices() == await fetcher.prices()


async def test_a_broker_that_only_repeats_itself_confirms_nothing(
    fetching, exchange, sharing
):
    """Its prices turn stale after the time that is set, and are live again with its first new trade."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange)
        poller.frozen = FrozenTrades(15_000)
        fetcher.demand.watch(exchange.prices(), 0)
        await poller.ask_due()
        await exchange.arm(path="/quote", kind="frozen")
        ok = []
        for _ in range(10):
            exchange.trade()
            await fetcher.later(3_000)
            before = fetcher.polls("ok")
            await poller.ask_due()
            ok.append(fetcher.polls("ok") - before)
        # The stand-in repeats what it told at the first question after the fault.
        assert [1.0] * 6 + [0.0] * 4 == ok
        assert "failing" == fetcher.feed.state(fetcher.session)
        assert 4 == fetcher.polls("frozen")

        await exchange.heal()
        await fetcher.later(3_000)
        await poller.ask_due()
        assert exchange.prices() == await fetcher.prices()
        assert "ok" == fetcher.feed.state(fetcher.session)


async def test_a_batch_that_always_fails_stops_no_other(fetching, exchange, sharing):
    """The other hot scrips stay fresh: the circuit stays closed, and the ill batch is tried at its interval."""
    async with fetching() as hire:
        await sharing(hire)
        fetcher, poller = await alone(hire, exchange, symbols_max=10)

        await poller.core.is_our_turn()
        ill = fetcher.core.instruments.master.by_code[RELIANCE]
        fetcher.demand.watch(exchange.prices(), 0)
        await exchange.arm(
            path="/quote", kind="server_error", query=f"BSE:{ill.symbol}"
        )
        for _ in range(100):  # ten intervals
            await poller.ask_due()
            fetcher.clock.advance(300)
            await fetcher.redis.delete(keys.source_budget("kite"))
        exchange.trade()
        for _ in range(10):
            await poller.ask_due()
            fetcher.clock.advance(300)

        true, held = exchange.prices(), await fetcher.prices()
        wrong = {code for code in true if held.get(code) != true[code]}
        assert RELIANCE in wrong
        assert len(wrong) <= 10
        assert 0 == poller.guard.circuit.opened
        failed = fetcher.count("fetcher_batches", source="kite", outcome="failed")
        assert 8 <= failed <= 12
