"""The one rule by which every door reads the fetcher's word."""

import msgspec
import pytest

from bse_shared.wire.feed_view import (
    BEAT_HEARD_FOR_MS,
    NEXT_SESSION_WITHIN_MS,
    feed_state,
    market_is_open,
)
from bse_shared.wire.records import FeedStatus, SessionRecord


def feed(**session):
    """A beat at 1,000,000 ms."""
    return FeedStatus(
        at_ms=1_000_000,
        writer="f",
        source="bse",
        state="failing",
        session=SessionRecord(**{"phase": "closed", "is_open": False, **session}),
        shards=1,
        poll_interval_s=3,
    )


@pytest.mark.parametrize(
    ("age_ms", "state"),
    [
        (0, "failing"),
        (BEAT_HEARD_FOR_MS, "failing"),
        (BEAT_HEARD_FOR_MS + 1, "unknown"),
    ],
)
def test_a_beat_is_heard_for_a_while(age_ms, state):
    """Then nobody is heard, whatever the last word was."""
    assert state == feed_state(feed(), 1_000_000 + age_ms)


def test_without_any_beat_nothing_is_known():
    """And the market counts as open: an old price is then stale, not closed."""
    assert "unknown" == feed_state(None, 5)
    assert market_is_open(None, 5)


def test_an_open_session_is_open_however_old_the_beat_is():
    """Staleness is told by the ages of the prices."""
    assert market_is_open(feed(is_open=True), 10**12)


@pytest.mark.parametrize(
    ("after_ms", "is_open"), [(-1, False), (NEXT_SESSION_WITHIN_MS, True)]
)
def test_a_closed_session_is_believed_until_its_end(after_ms, is_open):
    """Who has not heard since the announced opening does not know."""
    closed = feed(next_change_at_ms=2_000_000)

    assert is_open == market_is_open(closed, 2_000_000 + after_ms)


def test_a_closed_session_without_an_end_is_not_believed():
    """In doubt the market is open."""
    endless = msgspec.structs.replace(feed(), at_ms=1)

    assert market_is_open(endless, 2)
