"""How long the poll loop waits: bounds and rhythm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.polling.pace import LATE_MAX, Pace


PACE = Pace(
    interval_s=3,
    closed_interval_s=60,
)
JITTER = st.floats(0, 1, exclude_max=True)
TIMES = st.integers(1, 10**6)


def no_jitter():
    """The middle of the jitter."""
    return 0.5


def test_an_open_market_is_polled_at_the_interval():
    """However long the session still lasts."""
    assert 3 == PACE.after_answer(session_closed=False, changes_in_s=None)
    assert 3 == PACE.after_answer(session_closed=False, changes_in_s=1)


@pytest.mark.parametrize(
    ("changes_in_s", "wait_s"), [(None, 60), (3600, 60), (20, 20), (1, 3), (-5, 3)]
)
def test_a_closed_market_is_polled_seldom_but_never_past_the_opening(
    changes_in_s, wait_s
):
    """The first minute of the day is no time to sleep."""
    assert wait_s == PACE.after_answer(session_closed=True, changes_in_s=changes_in_s)


def test_failures_are_retried_quickly_once_then_at_the_interval():
    """A blip costs a second; an outage is asked as often as health, so that its end is seen in one interval."""
    waits_s = [PACE.after_failure(failures, 3, no_jitter) for failures in range(1, 5)]

    assert [pytest.approx(0.9), *[pytest.approx(2.7)] * 3] == waits_s


@given(TIMES, JITTER)
def test_waits_are_bounded_and_never_nothing(failures, jitter):
    """No outcome leads to a busy loop, or to a wait longer than the interval."""
    assert 0.6 <= PACE.after_failure(failures, 3, lambda: jitter) <= 3


@given(st.lists(st.floats(0, 0.25), min_size=1, max_size=200))
def test_small_delays_do_not_add_up(delays_s):
    """After any number of slightly late polls the rhythm is still the first one's."""
    due_ms = 1_000.0
    for delay_s in delays_s:
        due_ms = PACE.next_due_ms(due_ms, due_ms + delay_s * 1000, 3)

    assert due_ms == pytest.approx(1_000 + 3_000 * len(delays_s))


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.1, 60))
def test_polls_never_come_in_bursts(due_ms, late_ms, wait_s):
    """However late a poll was, the next one keeps nine tenths of the wait, and at most all of it."""
    started_ms = due_ms + late_ms
    next_ms = PACE.next_due_ms(due_ms, started_ms, wait_s)

    shortest_ms = wait_s * 1000 * (1 - LATE_MAX)
    assert shortest_ms - 1e-6 <= next_ms - started_ms <= wait_s * 1000 + 1e-6


def test_the_first_poll_begins_the_rhythm():
    """A loop that was never due is not owed all the polls since the clock began."""
    assert 503_000 == PACE.next_due_ms(0, 500_000, 3)


@pytest.mark.parametrize(("late_ms", "next_ms"), [(300, 13_000), (301, 13_301)])
def test_a_poll_that_is_a_tenth_late_keeps_the_rhythm(late_ms, next_ms):
    """One that is later begins a new one."""
    assert next_ms == PACE.next_due_ms(10_000, 10_000 + late_ms, 3)
