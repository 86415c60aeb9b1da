"""Who is asked for when: laws in simulated time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.polling.demand import Tier
from bse_fetcher.polling.schedule import Schedule


INTERVALS_MS = {Tier.HOT: 3_000, Tier.WARM: 15_000, Tier.COLD: 300_000}
STEP_MS = 100


def tiers_of(hot, warm, cold):
    """So many scrips of each tier, with codes that do not overlap."""
    return {
        Tier.HOT: range(1_000, 1_000 + hot),
        Tier.WARM: range(2_000, 2_000 + warm),
        Tier.COLD: range(3_000, 3_000 + cold),
    }


def run(tiers, for_ms, symbols_max=50):
    """All batches with their times."""
    schedule = Schedule(INTERVALS_MS, symbols_max)
    return [
        (now_ms, batch)
        for now_ms in range(0, for_ms, STEP_MS)
        for batch in schedule.due(tiers, now_ms, STEP_MS)
    ]


@given(st.integers(0, 200), st.integers(0, 300), st.integers(0, 500))
def test_every_scrip_is_asked_for_as_often_as_its_tier_says(hot, warm, cold):
    """Never much later than its interval, after the first round; and no batch is too big."""
    tiers = tiers_of(hot, warm, cold)
    last_ms = {}
    for now_ms, batch in run(tiers, 40_000):
        assert 0 < len(batch) <= 50
        assert len(batch) == len(set(batch))
        for code in batch:
            if code in last_ms and code < 3_000:
                interval_ms = 3_000 if code < 2_000 else 15_000
                assert interval_ms / 2 <= now_ms - last_ms[code] <= 1.5 * interval_ms
            last_ms[code] = now_ms

    assert {*tiers[Tier.HOT], *tiers[Tier.WARM]} <= last_ms.keys()


def test_fifty_hot_scrips_cost_one_request_an_interval():
    """Full batches, however many clients watch."""
    batches = run(tiers_of(50, 0, 0), 30_000)

    assert 10 == len(batches)
    assert all(50 == len(batch) for _, batch in batches)


def test_the_work_is_spread_over_the_interval():
    """A thousand hot scrips: twenty batches an interval, never more than one in a tenth of a second."""
    at = Counter(now_ms for now_ms, _ in run(tiers_of(1_000, 0, 0), 30_000))

    assert max(at.values()) == 1
    assert 190 <= sum(at.values()) <= 210


def test_the_hot_ones_come_first():
    """At the very start everything is due."""
    first = run(tiers_of(60, 500, 3_000), 300)

    assert set(tiers_of(60, 0, 0)[Tier.HOT]) <= {c for _, b in first for c in b}


def test_what_was_not_asked_for_is_due_again_at_once():
    """A batch that the budget held back is not lost for an interval."""
    schedule = Schedule(INTERVALS_MS, 50)
    tiers = tiers_of(10, 0, 0)
    (batch,) = schedule.due(tiers, 0, STEP_MS)
    assert [] == schedule.due(tiers, 100, STEP_MS)
    schedule.not_asked(batch)

    assert [batch] == schedule.due(tiers, 200, STEP_MS)


def run_cold(schedule, tier, times):
    """When one scrip of the tier is asked for, if it fails each time."""
    asked_ms = []
    for now_ms in range(0, times, STEP_MS):
        for batch in schedule.due({tier: [1]}, now_ms, STEP_MS):
            asked_ms.append(now_ms)
            schedule.failed(batch, now_ms)
    return asked_ms


def test_what_failed_is_tried_again_soon_and_then_less_often():
    """A cold scrip does not wait for its five minutes, and one that always fails is not asked for all the time."""
    gaps_ms = [3, 6, 12, 24, 48, 96, 192, 300, 300]
    expected = [0]
    for gap in gaps_ms:
        expected.append(expected[-1] + gap * 1000)

    asked_ms = run_cold(Schedule(INTERVALS_MS, 50), Tier.COLD, 1_000_000)
    assert expected == asked_ms
    assert list(range(0, 30_000, 3_000)) == run_cold(
        Schedule(INTERVALS_MS, 50), Tier.HOT, 30_000
    )


def test_what_was_answered_begins_anew():
    """The next failure is a first one."""
    schedule = Schedule(INTERVALS_MS, 50)
    cold = {Tier.COLD: [1]}
    assert [[1]] == schedule.due(cold, 0, STEP_MS)
    schedule.failed([1], 0)
    assert [[1]] == schedule.due(cold, 3_000, STEP_MS)
    schedule.answered([1])
    assert [] == schedule.due(cold, 100_000, STEP_MS)
    assert [[1]] == schedule.due(cold, 303_000, STEP_MS)
    schedule.failed([1], 303_000)

    assert [] == schedule.due(cold, 305_999, STEP_MS)
    assert [[1]] == schedule.due(cold, 306_000, STEP_MS)


def test_what_was_asked_for_beside_the_schedule_counts():
    """A reader missed it a second ago: no need to ask again."""
    schedule = Schedule(INTERVALS_MS, 50)
    schedule.asked([1], 1_000)

    assert [] == schedule.due({Tier.HOT: [1]}, 3_999, STEP_MS)
    assert [[1]] == schedule.due({Tier.HOT: [1]}, 4_000, STEP_MS)


@given(st.integers(1, 200), st.integers(1, 10))
def test_small_batches_keep_the_pace_too(hot, symbols_max):
    """As many batches a step as it takes, and no more: the work of an interval is never done at once."""
    per_step = -(-hot * STEP_MS // (3_000 * symbols_max))
    batches = run(tiers_of(hot, 0, 0), 9_000, symbols_max)
    at = Counter(now_ms for now_ms, _ in batches)
    asked = Counter(code for _, batch in batches for code in batch)

    assert max(at.values()) <= per_step
    assert set(tiers_of(hot, 0, 0)[Tier.HOT]) == asked.keys()
    assert min(asked.values()) >= 2


def test_a_batch_with_room_is_filled_with_what_is_due_next():
    """The latest first, of any tier, up to half an interval ahead: one full batch instead of two."""
    schedule = Schedule(INTERVALS_MS, 6)
    schedule.asked([1, 2, 3], 0)
    schedule.asked([4], 1_501)  # just over half an interval ahead
    schedule.asked([5], 1_500)
    schedule.asked([6], 1_000)
    tiers = {Tier.HOT: [1, 2, 3, 4, 5, 6]}

    assert [[1, 2, 3, 6, 5]] == schedule.due(tiers, 3_000, STEP_MS)


def test_only_as_many_as_there_is_room_for_are_taken_ahead():
    """And the latest of them."""
    schedule = Schedule(INTERVALS_MS, 4)
    schedule.asked([1, 2, 3], 0)
    schedule.asked([5], 1_500)
    schedule.asked([6], 1_000)

    assert [[1, 2, 3, 6]] == schedule.due({Tier.HOT: [1, 2, 3, 5, 6]}, 3_000, STEP_MS)


def test_a_full_batch_takes_nobody_ahead_of_time():
    """What is due next can wait."""
    schedule = Schedule(INTERVALS_MS, 3)
    schedule.asked([1, 2, 3], 0)
    schedule.asked([4], 2_000)

    assert [[1, 2, 3]] == schedule.due({Tier.HOT: [1, 2, 3, 4]}, 3_000, STEP_MS)


def test_it_is_due_to_the_millisecond():
    """Not before its interval is over, and then at once."""
    schedule = Schedule(INTERVALS_MS, 50)
    for tier, interval_ms in INTERVALS_MS.items():
        assert [[1]] == schedule.due({tier: [1]}, 0, STEP_MS)
        assert [] == schedule.due({tier: [1]}, interval_ms - 1, STEP_MS)
        assert [[1]] == schedule.due({tier: [1]}, interval_ms, STEP_MS)
        schedule.not_asked([1])
