"""What a fetcher tells of itself: as the beat, as its status page, as gauges."""

import math

from bse_fetcher.loops.beat import Beat
from bse_fetcher.loops.obey import Obedience
from bse_fetcher.source_settings import KiteSettings
from bse_fetcher.sources.kite.source import KiteSource
from bse_fetcher.status import SUSPECTS_TOLD_MAX, StatusBoard
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.wire.records import (
    FeedStatus,
    FetcherStatus,
    OrderRecord,
    from_json,
    to_json,
)


RELIANCE = 500325


def obedience_of(fetcher):
    """What makes the fetcher obey."""
    controls = FetcherControls(fetcher.redis)
    return Obedience(controls, fetcher.core.orders, lambda: fetcher.terms.leads)


def board_of(fetcher, *pollers):
    """A fetcher's status board."""
    return StatusBoard(
        core=fetcher.core,
        feed=fetcher.feed,
        guards=fetcher.guards,
        demand=fetcher.demand,
        session=lambda: fetcher.session,
        poll_interval_s=3.0,
        pollers=list(pollers),
    )


def kite_of(fetcher, exchange):
    """The broker at the stand-in."""
    settings = KiteSettings(base_url=exchange.url, api_key="key", access_token="access")
    return KiteSource(fetcher.http, settings)


async def test_the_feed_is_told_with_all_that_a_reader_needs(fetching):
    """Source, state, session and figures, and it survives the way through the store."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fetcher.demand.watch([RELIANCE], fetcher.store.now_ms())
        told = board_of(fetcher).of_feed()

        assert told == from_json(to_json(told), FeedStatus)
        assert ("bse", "ok", "fetcher-1", 4, 3.0) == (
            told.source,
            told.state,
            told.writer,
            told.shards,
            told.poll_interval_s,
        )
        assert (40, 0, fetcher.feed.last_answer_at_ms) == (
            told.rows,
            told.rejected_rows,
            told.last_answer_at_ms,
        )
        assert told.session.is_open
        assert {"hot": 1, "warm": 0, "cold": 39} == told.demand
        market, master = told.sources
        assert ("closed", 0, 0) == (
            market.circuit,
            market.answered_ms_ago,
            market.asked_again_in_ms,
        )
        assert master.answered_ms_ago is None


async def test_an_ill_source_is_told_with_its_circuit_and_drift(fetching, exchange):
    """When it may be asked again, how often it was given up, which fields it left out."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(kind="missing_field", field="trd_vol", rows="all", times=1)
        await fetcher.poll()
        await exchange.arm(kind="server_error")
        for _ in range(3):
            await fetcher.poll()
        told = board_of(fetcher).of_feed()

        (market, _) = told.sources
        assert ("open", 3, 1) == (market.circuit, market.failures, market.opened)
        assert 0 < market.asked_again_in_ms <= 3000
        assert {"missing:trd_vol": 40} == told.drift
        assert "failing" == told.state


async def test_suspects_are_named_with_their_reason_and_bounded(fetching, exchange):
    """All are counted; how many are named has a limit."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        board = board_of(fetcher)
        assert ({}, 0) == (board.of_feed().suspects, board.of_feed().suspect)
        fetcher.publisher.scrutiny.contradicted[RELIANCE] = "price_diverges"
        assert {"RELIANCE": "price_diverges"} == board.of_feed().suspects

        await exchange.arm(kind="shifted_price", rows="all", percent=300)
        exchange.trade()
        await fetcher.poll()
        told = board.of_feed()
        assert 40 == told.suspect
        assert SUSPECTS_TOLD_MAX == len(told.suspects)
        await board.measure()
        assert 40 == fetcher.registry.get_sample_value("fetcher_suspects")


async def test_the_order_in_force_is_told_with_its_end(fetching):
    """And is gone from everywhere when it is over."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        board, controls = board_of(fetcher), FetcherControls(fetcher.redis)
        now_ms = fetcher.store.now_ms()
        await controls.give(OrderRecord(by="asha", at_ms=now_ms, freeze=True), 60)
        await obedience_of(fetcher).step()
        await board.measure()
        whole = board.whole()

        assert ("asha", True) == (whole.order.by, whole.order.freeze)
        assert now_ms + 55_000 < whole.feed.order_ends_at_ms <= now_ms + 61_000
        assert 1 == fetcher.registry.get_sample_value("fetcher_order_in_force")

        await fetcher.redis.delete("bse:fetcher:order")
        await obedience_of(fetcher).step()
        await board.measure()
        assert (None, None) == (
            board.whole().order,
            board.whole().feed.order_ends_at_ms,
        )
        assert 0 == fetcher.registry.get_sample_value("fetcher_order_in_force")


async def test_batches_are_counted_by_their_end(fetching, exchange):
    """For each poller, and as a metric."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        poller = fetcher.batches(kite_of(fetcher, exchange))
        board = board_of(fetcher, poller)
        await poller.ask_due()
        await exchange.arm(path="/quote", kind="server_error")
        fetcher.clock.advance(300_000)
        await poller.ask_due()

        whole = board.whole()
        assert whole == from_json(to_json(whole), FetcherStatus)
        (counts,) = whole.batches
        assert ("kite", "quotes", 0, 1, 1) == (
            counts.source,
            counts.endpoint,
            counts.under_way,
            counts.stored,
            counts.failed,
        )
        assert 1 == fetcher.count("fetcher_batches", source="kite", outcome="failed")
        assert ("active", True, [0, 1, 2, 3]) == (whole.role, whole.leads, whole.shards)


async def test_an_endpoint_that_never_answered_has_no_age(fetching):
    """Zero would look fresh."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fetcher.clock.advance(5000)
        await board_of(fetcher).measure()

        name = "fetcher_source_answered_age_seconds"
        ages = {
            endpoint: fetcher.registry.get_sample_value(
                name, {"source": "bse", "endpoint": endpoint}
            )
            for endpoint in ("market", "master")
        }
        assert 5 == ages["market"]
        assert math.isnan(ages["master"])


async def test_the_age_of_a_shared_feed_is_that_of_its_oldest_shard(fetching, exchange):
    """The one that leads may be fine while another's source is dead: readers must see it."""
    async with fetching() as hire:
        lister = hire("lister")
        await lister.poll()
        await lister.master.step()
        await lister.terms.release()
        await lister.redis.delete(*(f"bse:{{s{n}}}:head" for n in range(4)))
        await lister.redis.delete(*(f"bse:{{s{n}}}:quotes" for n in range(4)))
        fetchers = [hire(f"f{n}", shared=True) for n in range(2)]
        for _ in range(3):
            for each in fetchers:
                await each.terms.hold()
        pollers = [
            each.batches(kite_of(each, exchange), "primary", feed=each.feed)
            for each in fetchers
        ]
        table = QuoteTable(4)
        heard = []
        for round_ms in (0, 400_000, 400_000):
            for each in fetchers:
                each.clock.advance(round_ms)
            asked = pollers if not heard else pollers[:1]  # the second falls silent
            for poller in asked:
                await poller.ask_due()
            leader = next(each for each in fetchers if each.terms.leads)
            await Beat(leader.core, board_of(leader).of_feed).step()
            for shard in range(4):
                table.load(await leader.store.snapshot(shard))
            feed = (await leader.store.heads()).feed
            assert feed.last_answer_at_ms == table.heard_ms()
            heard.append(feed.last_answer_at_ms)
            own = fetchers[0].feed.last_answer_at_ms

        # Of the first round the leader's own shards are the oldest, then those of the one that fell silent.
        assert 0 < heard[0] < heard[1] == heard[2] < own


async def test_a_standby_does_not_beat(fetching):
    """Two voices would contradict each other."""
    async with fetching() as hire:
        first, standby = hire("first"), hire("second")
        await first.poll()
        await standby.terms.hold()
        await Beat(standby.core, board_of(standby).of_feed).step()
        assert (await first.store.heads()).feed is None

        await Beat(first.core, board_of(first).of_feed).step()
        assert "first" == (await first.store.heads()).feed.writer
