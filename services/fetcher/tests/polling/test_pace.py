"""How long the poll loop waits: bounds and rhythm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.polling.pace import FORBIDDEN_MAX_S, LATE_MAX, Pace


PACE = Pace(
    interval_s=3,
    closed_interval_s=60,
    failing_interval_max_s=15,
    forbidden_interval_s=60,
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


def test_failures_are_retried_quickly_once_then_less_and_less():
    """A blip costs a second; an outage is asked about four times a minute."""
    waits_s = [PACE.after_failure(failures, no_jitter) for failures in range(1, 8)]

    assert [pytest.approx(0.9), 3, 6, 12, 15, 15, 15] == waits_s


def test_each_403_doubles_the_wait():
    """Quick retries prolong the block."""
    waits_s = [PACE.after_forbidden(refusals, no_jitter) for refusals in range(1, 8)]

    assert [60, 120, 240, 480, 960, 1800, 1800] == waits_s


@given(TIMES, JITTER)
def test_waits_are_bounded_and_never_nothing(failures, jitter):
    """No outcome leads to a busy loop or to an endless wait."""
    assert 0.6 <= PACE.after_failure(failures, lambda: jitter) <= 15 * 1.2
    refused_s = PACE.after_forbidden(failures, lambda: jitter)
    assert 48 <= refused_s <= FORBIDDEN_MAX_S * 1.2


@given(st.floats(0, 3600), JITTER)
def test_a_pause_that_was_asked_for_is_kept(retry_after_s, jitter):
    """At least what the exchange asked for and at least the interval, at most a tenth more."""
    wait_s = PACE.after_rate_limit(retry_after_s, lambda: jitter)

    assert max(retry_after_s, 3) <= wait_s <= max(retry_after_s, 3) * 1.1


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
