"""Tiers: from subscriptions and misses, with decay, and with room for a bounded number of hot scrips."""

from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.polling.demand import Demand


WARM_MS, MISSED_MS = 900_000, 30_000
CODES = st.integers(1, 20)


def a_demand(hot_max=1000):
    """Warm for 15 minutes, a missed scrip hot for 30 seconds."""
    return Demand(hot_max, WARM_MS, MISSED_MS)


def test_watched_scrips_are_hot_and_cool_down_step_by_step():
    """Hot while watched, warm for a while, cold then."""
    demand = a_demand()
    demand.watch([1, 2], 0)
    assert ([1, 2], set()) == (demand.hot(0), demand.warm(0))
    demand.watch([2], 1000)
    assert ([2], {1}) == (demand.hot(1000), demand.warm(1000))
    demand.watch([2], 1000 + WARM_MS)

    assert ([2], set()) == (demand.hot(1000 + WARM_MS), demand.warm(1000 + WARM_MS))


def test_a_miss_heats_for_a_moment():
    """Somebody who asked once will hardly ask again."""
    demand = a_demand()
    demand.miss(7, 0)

    assert [7] == demand.hot(MISSED_MS - 1)
    assert ([], {7}) == (demand.hot(MISSED_MS), demand.warm(MISSED_MS))
    assert set() == demand.warm(WARM_MS)


def test_a_newcomer_does_not_crowd_out_who_was_there():
    """There is room for so many; the others are warm."""
    demand = a_demand(hot_max=2)
    demand.watch([5, 6], 0)
    demand.watch([1, 5, 6], 1)

    assert ([5, 6], {1}) == (demand.hot(1), demand.warm(1))


@given(
    st.lists(st.tuples(st.sets(CODES), st.sets(CODES, max_size=3))),
    st.integers(1, 10),
)
def test_no_scrip_is_in_two_tiers_and_the_hot_ones_are_bounded(history, hot_max):
    """Whatever is watched and missed, whoever asks how often."""
    demand = a_demand(hot_max)
    for step, (watched, missed) in enumerate(history):
        now_ms = step * 7_000
        demand.watch(watched, now_ms)
        for code in missed:
            demand.miss(code, now_ms)
        hot, warm = demand.hot(now_ms), demand.warm(now_ms)

        assert len(hot) == len(set(hot)) <= hot_max
        assert not warm & set(hot)
        assert watched | missed <= warm | set(hot)


def test_the_tiers_are_counted_among_the_known():
    """What is wanted and does not exist is in none; each scrip is in one."""
    demand = Demand(2, 900_000, 30_000)
    demand.watch([1, 2, 3, 99], 0)
    demand.watch([1, 2, 3], 1)
    demand.miss(4, 1)

    assert {"hot": 2, "warm": 2, "cold": 2} == demand.sizes(range(1, 7), 1)


def test_nothing_is_remembered_for_ever():
    """A reader who asks for everything once costs no memory a quarter of an hour later."""
    demand = a_demand()
    demand.watch([1], 0)
    demand.miss(7, 0)
    demand.watch([], 1_000)
    demand.watch([], 1_000 + WARM_MS - 1)
    assert {1} == demand.warm(1_000 + WARM_MS - 1)
    demand.watch([], 1_000 + WARM_MS)

    assert ({}, {}, {}) == (
        demand._watched,
        demand._hot_until_ms,
        demand._warm_until_ms,
    )
