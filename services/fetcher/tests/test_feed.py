"""What the fetcher says of its source."""

import pytest

from bse_fetcher.feed import Feed
from bse_shared.sessions.calendar import builtin_calendar
from bse_shared.sessions.session import always_open


NOW_MS = 1_795_334_400_000
OPEN = always_open(NOW_MS)
CLOSED = builtin_calendar().session_at(NOW_MS)
"""A Sunday."""


@pytest.fixture
def feed():
    """A feed that was never asked."""
    return Feed("bse")


def test_a_source_that_answers_is_ok_while_the_market_is_open(feed):
    """And `closed` when there is nothing to expect."""
    feed.answered(NOW_MS, 4300, 2)

    assert "ok" == feed.state(OPEN)
    assert "closed" == feed.state(CLOSED)


def test_a_failure_is_told_at_any_hour_until_the_next_answer(feed):
    """Failures count up, an answer forgets them; what was last heard stays."""
    feed.answered(NOW_MS, 4300, 2)
    feed.failed("html: a page instead of data")
    feed.failed("timeout: no answer in 5 s")

    assert "failing" == feed.state(OPEN) == feed.state(CLOSED)
    assert (2, "timeout: no answer in 5 s") == (feed.failures, feed.last_error)
    assert (NOW_MS, 4300) == (feed.last_answer_at_ms, feed.rows)

    feed.answered(NOW_MS + 3000, 4299, 0)
    assert (0, None) == (feed.failures, feed.last_error)


def test_a_source_that_was_never_asked_is_not_failing(feed):
    """No time of an answer, no rows, no error."""
    assert (None, None, 0, "ok") == (
        feed.last_answer_at_ms,
        feed.last_error,
        feed.rows,
        feed.state(OPEN),
    )
