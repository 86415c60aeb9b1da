"""What the fetcher says of its source."""

import pytest

from bse_fetcher.feed import Feed
from bse_shared.sessions.calendar import builtin_calendar
from bse_shared.sessions.session import always_open
from bse_shared.wire.records import FeedStatus, from_json, to_json


NOW_MS = 1_795_334_400_000
OPEN = always_open(NOW_MS)
CLOSED = builtin_calendar().session_at(NOW_MS)
"""A Sunday."""


@pytest.fixture
def feed():
    """A feed that was never asked."""
    return Feed("bse", 8, 3.0)


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


def test_the_beat_tells_all_that_a_reader_needs(feed):
    """Source, state, session and figures, and it survives the way through the store."""
    feed.answered(NOW_MS - 1000, 4300, 2)
    status = feed.status(NOW_MS, "fetcher-1", CLOSED, 7)

    assert status == from_json(to_json(status), FeedStatus)
    assert ("bse", "closed", "fetcher-1", 8, 3.0, 7) == (
        status.source,
        status.state,
        status.writer,
        status.shards,
        status.poll_interval_s,
        status.instruments_version,
    )
    assert (NOW_MS, NOW_MS - 1000, 4300, 2) == (
        status.at_ms,
        status.last_answer_at_ms,
        status.rows,
        status.rejected_rows,
    )
    assert ("closed", False, CLOSED.next_open_at_ms) == (
        status.session.phase,
        status.session.is_open,
        status.session.next_open_at_ms,
    )
    assert CLOSED.next_open_at_ms > NOW_MS


def test_a_source_that_was_never_asked_says_so(feed):
    """No time of an answer, no rows."""
    status = feed.status(NOW_MS, "fetcher-1", OPEN, 0)

    assert (None, None, 0, "ok") == (
        status.last_answer_at_ms,
        status.last_error,
        status.rows,
        status.state,
    )
