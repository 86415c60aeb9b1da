"""The feed, judged."""

from hypothesis import given
from hypothesis import strategies as st

from bse_monitor.rules.feed_verdict import judge_feed
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import FeedSeen, StoreSeen
from bse_monitor.rules.status import Health
from bse_shared.wire.records import SessionRecord


NOW_MS = 1_795_334_400_000
STORE = StoreSeen(True, 1)
SHUT = SessionRecord(phase="closed", is_open=False, reason="weekend")


def judge(feed, store=STORE, now_ms=NOW_MS):
    """The verdict with the default limits."""
    return judge_feed(feed, store, now_ms, Limits())


def test_fresh_prices_from_a_source_that_answers_are_ok(a_feed):
    """The age is that of the newest confirmation in any shard."""
    verdict = judge(a_feed(1200, 3400))

    assert ("ok", Health.OK, (), 1200) == (
        verdict.state,
        verdict.health,
        verdict.reasons,
        verdict.age_ms,
    )


def test_a_failing_source_is_named_with_its_error(a_feed):
    """While prices are fresh this is a warning."""
    feed = a_feed(5000, 5000, state="failing", last_error="BSE answered HTTP 403")
    verdict = judge(feed)

    assert ("failing", Health.DEGRADED) == (verdict.state, verdict.health)
    assert ("source bse fails: BSE answered HTTP 403",) == verdict.reasons


def test_old_prices_in_an_open_market_are_stale_and_then_down(a_feed):
    """A slow poll is a blip, half a minute is an outage."""
    blip = judge(a_feed(7001, 7001))
    outage = judge(a_feed(31_000, 31_000, state="failing", last_error="timeout"))

    assert ("stale", Health.DEGRADED) == (blip.state, blip.health)
    assert ("stale", Health.DOWN) == (outage.state, outage.health)
    assert ("no price confirmed for 31.0 s", "source bse fails: timeout") == (
        outage.reasons
    )


def test_nothing_ever_confirmed_in_an_open_market_is_down(a_feed):
    """There is nothing to deliver."""
    verdict = judge(a_feed(None, None))

    assert ("stale", Health.DOWN, None) == (
        verdict.state,
        verdict.health,
        verdict.age_ms,
    )
    assert ("no price was ever confirmed",) == verdict.reasons


def test_a_closed_market_is_well_and_says_why_it_is_closed(a_feed):
    """Old prices are right on a Sunday."""
    verdict = judge(a_feed(9e7, 9e7, session=SHUT, state="closed"))

    assert ("closed", Health.OK) == (verdict.state, verdict.health)
    assert ("market closed: weekend",) == verdict.reasons


def test_a_source_that_fails_while_the_market_is_closed_is_told(a_feed):
    """There is time to repair it before the opening."""
    verdict = judge(a_feed(session=SHUT, state="failing", last_error="HTTP 403"))

    assert ("failing", Health.DEGRADED) == (verdict.state, verdict.health)


def test_silence_of_the_writer_is_told(a_feed):
    """Whoever holds the leases reports each second."""
    verdict = judge(a_feed(4000, 4000, silent_ms=4000))

    assert "failing" == verdict.state
    assert (
        "no writer holds the leases: the newest report on the feed is 4.0 s old",
    ) == verdict.reasons


def test_a_writer_that_died_on_sunday_is_stale_on_monday(a_feed):
    """Its last word was that the market is closed, and when it opens."""
    session = SessionRecord(
        phase="closed", is_open=False, reason="weekend", next_open_at_ms=NOW_MS - 1
    )
    verdict = judge(a_feed(9e7, 9e7, silent_ms=8e7, session=session, state="closed"))

    assert ("stale", Health.DOWN) == (verdict.state, verdict.health)


def test_one_shard_that_stands_still_is_named(a_feed):
    """The newest confirmation alone would hide it; a shard that is empty is not late."""
    verdict = judge(a_feed(1000, 20_000, None))

    assert ("failing", 1000) == (verdict.state, verdict.age_ms)
    assert ("shard 1 of 3: no price confirmed for 20.0 s",) == verdict.reasons


def test_a_different_number_of_shards_is_told(a_feed):
    """The monitor would watch only a part of the market."""
    verdict = judge(a_feed(1000, 1000, shards=8))

    assert "failing" == verdict.state
    assert "the fetcher writes 8 shards, the monitor reads 2" in verdict.reasons[0]


def test_nobody_knows_of_a_feed_that_no_fetcher_reported():
    """A new installation before its first fetcher."""
    verdict = judge(FeedSeen())

    assert ("unknown", ("no fetcher has reported on the feed yet",)) == (
        verdict.state,
        verdict.reasons,
    )


def test_the_age_grows_while_the_store_is_away(a_feed):
    """Nobody knows the state, but how old the last known prices are is known."""
    verdict = judge(a_feed(1000), StoreSeen(False, error="gone"), NOW_MS + 60_000)

    assert ("unknown", 61_000) == (verdict.state, verdict.age_ms)


def test_confirmations_from_the_future_are_not_fresh(a_feed):
    """The store's clock stepped back."""
    verdict = judge(a_feed(-60_000))

    assert "stale" == verdict.state
    assert ("confirmations are dated 1 min ahead of the store's clock",) == (
        verdict.reasons
    )


ages = st.one_of(st.none(), st.integers(-40_000, 40_000))
feeds = st.fixed_dictionaries(
    {
        "silent_ms": st.integers(-10_000, 10_000),
        "state": st.sampled_from(["ok", "failing", "closed", "new"]),
        "last_error": st.one_of(st.none(), st.text(max_size=5)),
        "session": st.sampled_from(
            [SHUT, SessionRecord(phase="open", is_open=True)],
        ),
    }
)


@given(st.lists(ages, min_size=1, max_size=4), feeds, st.booleans())
def test_there_is_a_reason_unless_the_feed_is_ok(a_feed, ages_ms, fields, reachable):
    """In plain words, none of them blank."""
    verdict = judge(a_feed(*ages_ms, **fields), StoreSeen(reachable))

    assert (verdict.state == "ok") == (not verdict.reasons)
    assert all(verdict.reasons)


@given(
    st.lists(st.integers(0, 40_000), min_size=1, max_size=4),
    feeds,
    st.integers(0, 40_000),
)
def test_older_confirmations_are_never_better(a_feed, ages_ms, fields, more_ms):
    """All prices confirmed longer ago: the verdict stays or worsens."""
    now = judge(a_feed(*ages_ms, **fields))
    later = judge(a_feed(*(age + more_ms for age in ages_ms), **fields))

    assert now.health.severity <= later.health.severity
