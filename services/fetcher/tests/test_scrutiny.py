"""Rows held against what is stored, through the publisher and a real store."""

import asyncio

import pytest

from bse_fetcher.polling.plausibility import AHEAD_ROWS, NEW_TIMELINE_AFTER
from bse_fetcher.publisher import PAUSE_S
from bse_fetcher.sources.answer import Answer
from bse_shared.quotes.quote import NUMBER, Condition


LAST, TIME, VOLUME = (
    NUMBER[name] for name in ("last_paise", "exchange_time_ms", "volume")
)
CODES = range(500_000, 500_040)
HOUR_MS = 3_600_000


def rows(at_ms, codes=CODES, last=100, **fields):
    """An answer in which these scrips traded at that time."""
    told = {NUMBER[name]: value for name, value in fields.items()}
    return Answer(
        seen={code: {LAST: last, TIME: at_ms, VOLUME: 5, **told} for code in codes}
    )


async def publish(fetcher, answer):
    """As if a list source had said so now."""
    await fetcher.publisher.publish_list(answer, fetcher.store.now_ms())


async def test_a_few_rows_of_the_future_are_bad_rows(fetching):
    """Left out and counted: they would make every later row look old."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        now_ms = fetcher.store.now_ms()
        await publish(fetcher, rows(now_ms - HOUR_MS))
        ahead = CODES[:AHEAD_ROWS]
        answer = rows(now_ms, CODES[AHEAD_ROWS:], last=101)
        answer.seen |= rows(now_ms + HOUR_MS, ahead, last=102).seen
        await publish(fetcher, answer)

        prices = await fetcher.prices()
        assert {100} == {prices[code] for code in ahead}
        assert {101} == {prices[code] for code in CODES[AHEAD_ROWS:]}
        assert set(ahead) == await fetcher.unconfirmed()
        assert AHEAD_ROWS == fetcher.count("fetcher_rows", outcome="time_in_future")


async def test_many_rows_of_the_future_are_a_clock(fetching):
    """Theirs or ours: prices must go on, in every shard, also where it has only one such row."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        now_ms = fetcher.store.now_ms()
        await publish(fetcher, rows(now_ms - HOUR_MS))
        ahead = CODES[: AHEAD_ROWS + 1]
        await publish(fetcher, rows(now_ms + HOUR_MS, ahead, last=102))

        prices = await fetcher.prices()
        assert {102} == {prices[code] for code in ahead}
        assert 0 == fetcher.count("fetcher_rows", outcome="time_in_future")


async def test_what_is_believed_in_the_end_may_still_be_in_doubt(fetching):
    """A price from the past that stays is stored, and marked if it does not fit its own day."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        now_ms = fetcher.store.now_ms()
        await publish(fetcher, rows(now_ms))
        for _ in range(NEW_TIMELINE_AFTER):
            assert 100 == (await fetcher.prices())[CODES[0]]
            strange = rows(now_ms - HOUR_MS, CODES[:1], 300, previous_close_paise=100)
            strange.seen |= rows(now_ms, CODES[1:]).seen
            await publish(fetcher, strange)

        image = (await fetcher.held())[CODES[0]]
        assert (300, Condition.SUSPECT) == (
            image.quote.last_paise,
            image.quote.condition,
        )
        assert "far_from_close" == fetcher.publisher.scrutiny.suspects()[CODES[0]]
        assert 1 == fetcher.count("fetcher_new_timelines")


async def test_a_day_that_is_believed_in_the_end_sheds_the_limits_of_the_last(fetching):
    """Also where the source's clock explains its time."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        now_ms = fetcher.store.now_ms()
        limits = {"lower_circuit_paise": 90, "upper_circuit_paise": 110}
        await publish(fetcher, rows(now_ms - HOUR_MS, **limits))
        await publish(fetcher, rows(now_ms + 24 * HOUR_MS, last=300))

        quote = (await fetcher.held())[CODES[0]].quote
        assert (300, None) == (quote.last_paise, quote.upper_circuit_paise)
        assert {} == fetcher.publisher.scrutiny.suspects()


async def test_nothing_else_is_done_while_an_answer_is_published(fetching):
    """Who waits for a pause gets it after the last shard."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        now_ms = fetcher.store.now_ms()
        seen_by_waiter = []

        async def wait_for_a_pause():
            await fetcher.publisher.idle()
            seen_by_waiter.append(len(await fetcher.prices()))

        async with asyncio.TaskGroup() as group:
            group.create_task(publish(fetcher, rows(now_ms)))
            group.create_task(wait_for_a_pause())

        assert [len(CODES)] == seen_by_waiter


async def test_a_pause_is_the_time_after_an_answer_not_that_before_the_next(
    fetching, monkeypatch
):
    """Who comes late in it waits for the next; but not for ever, for in the night none comes."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        publisher, now_ms = fetcher.publisher, fetcher.store.now_ms()
        await publish(fetcher, rows(now_ms))
        await asyncio.wait_for(publisher.idle(), 0.1)
        publisher._ended_s -= PAUSE_S
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(publisher.idle(), 0.1)
        async with asyncio.timeout(1), asyncio.TaskGroup() as group:
            group.create_task(publisher.idle())
            await publish(fetcher, rows(now_ms))
        publisher._ended_s -= PAUSE_S
        monkeypatch.setattr("bse_fetcher.publisher.PATIENCE_S", 0.01)
        await asyncio.wait_for(publisher.idle(), 0.1)


async def test_an_answer_that_was_overtaken_changes_nothing(fetching):
    """Asked first, come last: whatever it says of a scrip, a later question was answered meanwhile."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.terms.hold()
        now_ms = fetcher.store.now_ms()
        publish_batch = fetcher.publisher.publish_batch
        later = rows(now_ms, CODES[:2], last=102)
        await publish_batch(later, now_ms + 500, asked_at_ms=now_ms + 300)
        overtaken = rows(now_ms, CODES[:4], last=101)
        stored = await publish_batch(overtaken, now_ms + 900, asked_at_ms=now_ms + 100)

        assert 2 == stored
        assert dict(zip(CODES, (102, 102, 101, 101), strict=False)) == (
            await fetcher.prices()
        )
        heads = (await fetcher.store.heads()).shards
        assert now_ms + 500 == heads[CODES[0] % 4].confirmed.at_ms(CODES[0])
