"""The poll cycle by hand: the real store, the stand-in exchange, and each of its faults."""

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from bse_fetcher.polling.plausibility import NEW_TIMELINE_AFTER
from bse_shared.quotes.frame import ShardHead
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.sessions.session import Phase
from bse_shared.wire.bus import unpack_frame


MISSED = 500325
"""The scrip that the row faults hit: RELIANCE."""


async def heads_of(fetcher):
    """Where the shards stand, without the times of confirmation."""
    return [
        ShardHead(head.shard, head.position, None)
        for head in (await fetcher.store.heads()).shards
    ]


async def test_the_first_poll_stores_the_whole_market(fetching, exchange):
    """Every scrip of the list, at its true price."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()

        assert exchange.prices() == await fetcher.prices()
        assert set() == await fetcher.unconfirmed()
        assert 40 == fetcher.count("fetcher_rows", outcome="changed")
        assert 1 == fetcher.polls("ok")
        assert ("ok", 40, 0) == (
            fetcher.feed.state(fetcher.session),
            fetcher.feed.rows,
            fetcher.feed.rejected_rows,
        )


async def test_each_poll_stores_what_moved(fetching, exchange):
    """The store follows the market."""
    async with fetching() as hire:
        fetcher = hire()
        for _ in range(5):
            await fetcher.poll()
            assert exchange.prices() == await fetcher.prices()
            exchange.trade()

        assert 5 == fetcher.polls("ok")


async def test_unchanged_rows_are_kept_alive(fetching, redis):
    """A quiet market is confirmed: nothing changes, nothing expires, the position moves on."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        before = await fetcher.held()
        await redis.expire("stock:quote:RELIANCE", 5)
        await fetcher.poll()

        assert before == await fetcher.held()
        assert await redis.ttl("stock:quote:RELIANCE") > 290
        assert {2} == {head.position.sequence for head in await heads_of(fetcher)}
        assert 40 == fetcher.count("fetcher_rows", outcome="unchanged")
        assert set() == await fetcher.unconfirmed()


WHOLE_ANSWER_FAULTS = [
    ({"kind": "forbidden"}, "forbidden"),
    ({"kind": "too_many_requests", "retry_after_s": 7}, "rate_limited"),
    ({"kind": "server_error"}, "server_error"),
    ({"kind": "redirect"}, "redirected"),
    ({"kind": "html_200"}, "html"),
    ({"kind": "null_body"}, "null"),
    ({"kind": "empty_body"}, "empty"),
    ({"kind": "truncated"}, "truncated"),
    ({"kind": "down"}, "connection"),
    ({"kind": "hang"}, "timeout"),
    ({"kind": "missing_field", "rows": "all"}, "shape"),
    ({"kind": "changed_type", "to": "text", "rows": "all"}, "shape"),
    ({"kind": "missing_field", "field": "scrip_cd", "rows": "all"}, "shape"),
]


@pytest.mark.parametrize(("fault", "outcome"), WHOLE_ANSWER_FAULTS)
async def test_an_answer_that_is_none_changes_nothing(
    fetching, exchange, fault, outcome
):
    """Values stay, none is confirmed, the outcome is counted and told; the next poll is good again."""
    async with fetching() as hire:
        fetcher = hire(timeout_s=0.5 if outcome == "timeout" else 5)
        await fetcher.poll()
        held, heads = await fetcher.held(), await heads_of(fetcher)
        exchange.trade()
        await exchange.arm(path="GetMktData", **fault)
        await fetcher.poll()

        assert held == await fetcher.held()
        assert heads == await heads_of(fetcher)
        assert (1, 1) == (fetcher.polls("ok"), fetcher.polls(outcome))
        assert "failing" == fetcher.feed.state(fetcher.session)
        assert fetcher.feed.last_error.startswith(outcome)

        await exchange.heal()
        await fetcher.poll()
        assert exchange.prices() == await fetcher.prices()
        assert 2 == fetcher.polls("ok")
        assert "ok" == fetcher.feed.state(fetcher.session)


ROW_FAULTS = [
    {"kind": "missing_field"},
    {"kind": "missing_field", "field": "scrip_cd"},
    {"kind": "changed_type", "to": "text"},
    {"kind": "changed_type", "to": "text", "field": "dt_tm"},
    {"kind": "bad_row", "problem": "negative_price"},
    {"kind": "bad_row", "problem": "nan_text"},
    {"kind": "bad_row", "problem": "zero_code"},
    {"kind": "bad_row", "problem": "absurd_price"},
    {"kind": "bad_row", "problem": "not_object"},
]


@pytest.mark.parametrize("fault", ROW_FAULTS)
async def test_a_bad_row_costs_its_scrip_one_confirmation(fetching, exchange, fault):
    """All others get their new price; that one keeps its last value and is not called fresh."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        before = exchange.prices()
        exchange.trade()
        await exchange.arm(path="GetMktData", scripcode=MISSED, **fault)
        await fetcher.poll()

        expected = {**exchange.prices(), MISSED: before[MISSED]}
        assert expected == await fetcher.prices()
        assert {MISSED} == await fetcher.unconfirmed()
        assert 1 == fetcher.count("fetcher_rows", outcome="rejected")
        assert (2, 1) == (fetcher.polls("ok"), fetcher.feed.rejected_rows)

        await exchange.heal()
        exchange.trade()
        await fetcher.poll()
        assert exchange.prices() == await fetcher.prices()
        assert set() == await fetcher.unconfirmed()


@pytest.mark.parametrize("kind", ["slow", "frozen", "duplicate_row"])
async def test_a_harmless_fault_still_gives_true_values(fetching, exchange, kind):
    """A late answer, an answer that did not move, a row that comes twice."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(path="GetMktData", kind=kind, delay_s=0.01)
        for _ in range(2):
            await fetcher.poll()

            assert exchange.prices() == await fetcher.prices()
            assert set() == await fetcher.unconfirmed()


async def test_prices_as_text_are_read_exactly_and_counted_as_drift(fetching, exchange):
    """A changed type is alarmed before it does harm."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(path="GetMktData", kind="changed_type", rows="all")
        await fetcher.poll()

        assert exchange.prices() == await fetcher.prices()
        assert 40 == fetcher.count("fetcher_schema_drift", what="retyped:ltradert")


async def test_drift_of_a_useless_answer_is_counted_as_well(fetching, exchange):
    """The very moment for the alarm: a field that is gone everywhere."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(path="GetMktData", kind="missing_field", rows="all")
        await fetcher.poll()

        assert 40 == fetcher.count("fetcher_schema_drift", what="missing:ltradert")
        assert 40 == fetcher.count("fetcher_rows", outcome="rejected")


async def test_names_that_are_gone_do_not_rename_the_market(fetching, exchange, redis):
    """Symbols are how people and keys find a scrip."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        known = fetcher.instruments.master
        await exchange.arm(
            path="GetMktData", kind="missing_field", field="scripname", rows="all"
        )
        exchange.trade()
        await fetcher.poll()

        assert known is fetcher.instruments.master
        assert 0 == await redis.exists(keys.quote(str(MISSED)))


async def test_a_clock_that_went_back_is_believed_when_it_stays(fetching, exchange):
    """Rows from the past are refused as old copies, until they are the only truth there is."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        before = exchange.prices()
        await exchange.arm(path="GetMktData", kind="clock_back", hours=1)
        for _ in range(NEW_TIMELINE_AFTER - 1):
            exchange.trade()
            await fetcher.poll()
            assert before == await fetcher.prices()
            assert set(before) == await fetcher.unconfirmed()
        assert 40 * (NEW_TIMELINE_AFTER - 1) == fetcher.count(
            "fetcher_rows", outcome="time_went_back"
        )

        exchange.trade()
        await fetcher.poll()
        assert exchange.prices() == await fetcher.prices()
        assert set() == await fetcher.unconfirmed()


async def test_a_standby_does_not_ask(fetching, exchange):
    """Two fetchers cost the exchange no more than one."""
    async with fetching() as hire:
        active, standby = hire("fetcher-1"), hire("fetcher-2")
        for _ in range(3):
            await active.poll()
            await standby.poll()

        assert 3 == exchange.asked() == active.polls("ok")
        assert 0 == standby.polls("ok")


async def test_a_standby_goes_on_where_the_other_stopped(fetching):
    """It polls as soon as it holds the market, and what did not change is not written again."""
    async with fetching() as hire:
        first, second = hire("fetcher-1"), hire("fetcher-2")
        await first.poll()
        await first.master.step()
        await first.terms.release()
        await second.poll()

        assert 40 == second.count("fetcher_rows", outcome="unchanged")
        assert 0 == second.count("fetcher_rows", outcome="changed")
        assert first.instruments.master.by_code == second.instruments.master.by_code
        assert second.instruments.saved


@asynccontextmanager
async def frames(redis):
    """Every frame published since."""
    seen = []

    async def heard():
        while message := await pubsub.get_message(timeout=0.05):
            if message["type"] == "message":
                seen.append(unpack_frame(message["data"]))
        return seen

    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(*(keys.deltas(shard) for shard in range(4)))
        yield heard


async def test_two_pollers_of_one_store_never_both_publish(fetching, exchange, redis):
    """Leases vanish while both hold and poll at once: every shard's frames still come in one order."""
    async with fetching() as hire, frames(redis) as heard:
        both = hire("fetcher-1"), hire("fetcher-2")
        for turn in range(24):
            exchange.trade()
            if turn % 3 == 0:
                await redis.delete(keys.lease(turn // 3 % 4))
            await asyncio.gather(*(fetcher.poll() for fetcher in both))
        published = await heard()

        for shard in range(4):
            positions = [each.position for each in published if each.shard == shard]
            assert len(positions) > 8
            assert sorted(set(positions)) == positions
        for fetcher in both:
            await fetcher.terms.hold()
        assert 1 == sum(fetcher.terms.active for fetcher in both)


async def test_terms_lost_while_the_exchange_is_asked_publish_nothing(
    fetching, exchange, redis
):
    """The answer comes to one who is no longer the active fetcher; the other's values stand."""
    async with fetching() as hire:
        first, second = hire("fetcher-1"), hire("fetcher-2")
        await first.terms.hold()
        await exchange.arm(path="GetMktData", kind="hang")
        async with asyncio.TaskGroup() as group:
            group.create_task(first.poller.step())
            await exchange.struck()
            for shard in range(4):
                await redis.delete(keys.lease(shard))
            await second.terms.hold()
            await first.terms.hold()
            await exchange.heal()

        assert 1 == first.polls("ok")
        assert {} == await first.held()
        assert second.terms.active
        await second.poll()
        assert exchange.prices() == await second.prices()


async def test_terms_lost_while_committing_publish_nothing(fetching, exchange, redis):
    """The fence is in the store: a cycle that is overtaken at its very end writes nothing."""
    async with fetching() as hire:
        first, second = hire("fetcher-1"), hire("fetcher-2")
        await first.poll()
        for shard in range(4):
            await redis.delete(keys.lease(shard))
        await second.terms.hold()
        held = await second.held()
        exchange.trade()
        first.clock.advance(3000)
        await first.poller.step()

        assert held == await second.held()
        assert not first.terms.active
        assert 4 == first.count("fetcher_fenced")


async def test_a_store_that_fails_does_not_make_the_exchange_pay(
    fetching, exchange, redis
):
    """A commit that fails again and again is no reason to ask without a pause."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        await redis.set(keys.quotes(0), "not a hash")
        with pytest.raises(StoreUnavailable):
            await fetcher.poller.step()
        assert not fetcher.terms.active
        await redis.delete(keys.quotes(0))
        await fetcher.terms.hold()
        await fetcher.poller.step()
        assert 1 == exchange.asked()

        await fetcher.poll()
        assert 2 == exchange.asked()
        assert exchange.prices() == await fetcher.prices()


async def test_a_master_that_cannot_be_read_is_written_again(fetching, redis):
    """What another version stored there does not end the process."""
    async with fetching() as hire:
        fetcher = hire()
        await redis.hset(keys.INSTRUMENTS, mapping={"version": 7, "rows": b"\x00"})
        await fetcher.poll()
        await fetcher.master.step()

        assert 40 == len(await fetcher.store.instruments())


async def test_a_term_taken_again_reads_the_master_again(fetching, redis):
    """Another fetcher may have written one in the meantime, however short that was."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await fetcher.master.step()
        await redis.flushall()
        await fetcher.poll()
        await fetcher.master.step()

        stored = await fetcher.store.instruments()
        assert fetcher.instruments.master.by_code == stored.by_code
        found = stored.by_code[MISSED]
        assert ("RELIANCE", "INE002A01018", "A") == (
            found.symbol,
            found.isin,
            found.group,
        )


# Rhythm.


async def test_polls_keep_the_pace_without_drift(fetching, exchange):
    """Each step comes a little late; after ten polls not even that little has added up."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        first_ms = fetcher.clock.monotonic_ms()
        for _ in range(10):
            fetcher.clock.advance(fetcher.poller.due_ms - fetcher.clock.monotonic_ms())
            fetcher.clock.advance(50)
            await fetcher.poller.step()

        assert 11 == exchange.asked()
        assert first_ms + 10 * 3000 + 50 == fetcher.clock.monotonic_ms()


async def test_nothing_is_caught_up_after_a_pause(fetching, exchange):
    """A process that slept for a minute owes nobody twenty polls."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fetcher.clock.advance(60_000)
        for _ in range(5):
            await fetcher.poller.step()

        assert 2 == exchange.asked()


async def test_a_pause_that_the_exchange_asks_for_is_kept(fetching, exchange):
    """The wait counts from the answer."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(kind="too_many_requests", retry_after_s=20, times=1)
        await fetcher.poll()
        fetcher.clock.advance(19_900)
        await fetcher.poller.step()
        assert 1 == exchange.asked()

        await fetcher.later(2_200)
        await fetcher.poller.step()
        assert 1 == fetcher.polls("ok")


async def test_the_first_403_is_a_first_one_after_any_other_failures(
    fetching, exchange
):
    """Only blocks double the wait for a block."""
    async with fetching() as hire:
        fetcher = hire()
        await exchange.arm(kind="server_error", times=5)
        await exchange.arm(kind="forbidden", times=1)
        for _ in range(6):
            await fetcher.poll()

        wait_s = (fetcher.poller.due_ms - fetcher.clock.monotonic_ms()) / 1000
        assert 1 == fetcher.polls("forbidden")
        assert 48 <= wait_s <= 72


async def test_an_answer_in_between_forgets_earlier_blocks(fetching, exchange):
    """Two blocks of one day are each a first one."""
    async with fetching() as hire:
        fetcher = hire()
        for _ in range(3):
            await exchange.arm(kind="forbidden", times=1)
            await fetcher.poll()
            wait_s = (fetcher.poller.due_ms - fetcher.clock.monotonic_ms()) / 1000
            assert 48 <= wait_s <= 72
            await fetcher.poll()

        assert (3, 3) == (fetcher.polls("forbidden"), fetcher.polls("ok"))


async def test_the_wait_after_a_failure_counts_from_its_end(fetching, exchange):
    """A timeout of five seconds is not followed by another request in the same instant."""
    async with fetching() as hire:
        fetcher = hire(timeout_s=0.5)
        await fetcher.terms.hold()
        await exchange.arm(kind="hang")
        async with asyncio.TaskGroup() as group:
            group.create_task(fetcher.poller.step())
            await exchange.struck()
            fetcher.clock.advance(5000)

        assert 1 == fetcher.polls("timeout")
        assert fetcher.poller.due_ms >= fetcher.clock.monotonic_ms() + 600


async def test_a_closed_market_is_not_slept_through_its_opening(fetching):
    """Seldom while closed, but there when it opens."""
    async with fetching() as hire:
        fetcher = hire()
        fetcher.session = closed_for(fetcher, None)
        await fetcher.poll()
        assert 60_000 == fetcher.poller.due_ms

        fetcher.clock.advance(59_000)
        fetcher.session = closed_for(fetcher, 12_000)
        await fetcher.poller.step()
        assert 12 == (fetcher.poller.due_ms - fetcher.clock.monotonic_ms()) / 1000


def closed_for(fetcher, milliseconds):
    """A closed session that changes in so long."""
    now_ms = fetcher.clock.wall_ms()
    values = {
        name: getattr(fetcher.session, name)
        for name in fetcher.session.__struct_fields__
    }
    return type(fetcher.session)(
        **{
            **values,
            "phase": Phase.CLOSED,
            "closing_auction_phase": Phase.CLOSED,
            "next_change_at_ms": milliseconds and now_ms + milliseconds,
        }
    )


# What can't be trusted.


async def test_a_price_outside_its_own_day_is_marked(fetching, exchange):
    """It is stored, for it may be true, and it is called suspect until it fits again."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        fault = {"kind": "shifted_price", "scripcode": MISSED, "percent": 30}
        await exchange.arm(path="GetMktData", **fault)
        for _ in range(3):
            await fetcher.poll()
            quotes = {code: i.quote for code, i in (await fetcher.held()).items()}
            assert [MISSED] == [code for code, q in quotes.items() if q.condition]
        assert 1 == fetcher.count(
            "fetcher_suspect_prices", why=fetcher.publisher.scrutiny.doubts[MISSED]
        )

        await exchange.heal()
        await fetcher.poll()
        assert not any(i.quote.condition for i in (await fetcher.held()).values())
        assert {} == fetcher.publisher.scrutiny.doubts


async def test_a_frozen_feed_confirms_nothing(fetching, exchange):
    """An exchange that repeats itself for a minute is as good as none; it is believed again when it moves."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await exchange.arm(path="GetMktData", kind="frozen")
        heads = []
        for _ in range(25):
            exchange.trade()
            await fetcher.poll()
            heads.append((await fetcher.store.heads()).shards)
        assert heads[18] != heads[19]
        assert heads[21] == heads[24]
        assert fetcher.polls("frozen") >= 4
        assert "failing" == fetcher.feed.state(fetcher.session)

        await exchange.heal()
        await fetcher.poll()
        assert exchange.prices() == await fetcher.prices()
        assert "ok" == fetcher.feed.state(fetcher.session)


async def test_an_exchange_that_lives_tomorrow_is_followed(fetching, exchange):
    """A replay of a day whose hours are still to come: also scrips that had not traded yet."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        ahead_ms = fetcher.store.now_ms() + 86_400_000
        exchange.now = datetime.fromtimestamp(ahead_ms / 1000, exchange.now.tzinfo)
        for _ in range(2):
            exchange.trade()
            await fetcher.poll()
            assert exchange.prices() == await fetcher.prices()
        assert 0 == fetcher.count("fetcher_rows", outcome="time_in_future")
