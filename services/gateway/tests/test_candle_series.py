"""Joining minutes, and the span of an answer."""

from hypothesis import given
from hypothesis import strategies as st

from bse_gateway.candle_series import (
    DAYS_REACH_MS,
    MINUTES_REACH_MS,
    Interval,
    Span,
    is_complete,
    series,
    span_of,
)
from bse_shared.quotes.candles import DAY_MS, MINUTE_MS, Candle, CandleFlag


MIDNIGHT_MS = 1_795_285_800_000  # in India
OPEN_MS = MIDNIGHT_MS + (9 * 60 + 15) * MINUTE_MS

minutes = st.lists(
    st.builds(
        lambda minute, low, more, volume, flags: Candle(
            MIDNIGHT_MS + minute * MINUTE_MS, low, low + more, low, low, volume, flags
        ),
        st.integers(0, 3 * 1440),
        st.integers(1, 10_000),
        st.integers(0, 100),
        st.integers(0, 1000),
        st.sampled_from([CandleFlag.NONE, CandleFlag.GAP, CandleFlag.FILLED]),
    ),
    unique_by=lambda candle: candle.start_ms,
).map(sorted)
joining = st.sampled_from([i for i in Interval if i is not Interval.DAY])


@given(minutes, joining)
def test_joining_loses_and_invents_nothing(found, interval):
    """Volume, extremes, ends and flags are those of the minutes; no two candles overlap."""
    joined = series(found, interval)
    starts = [candle.start_ms for candle in joined]
    assert starts == sorted(set(starts))
    assert sum(c.volume for c in found) == sum(c.volume for c in joined)
    for candle in joined:
        end_ms = candle.start_ms + interval.length_ms
        within = [c for c in found if candle.start_ms <= c.start_ms < end_ms]
        assert (candle.open_paise, candle.close_paise) == (
            within[0].open_paise,
            within[-1].close_paise,
        )
        assert candle.high_paise == max(c.high_paise for c in within)
        assert candle.low_paise == min(c.low_paise for c in within)
        for flag in CandleFlag:
            assert bool(candle.flags & flag) == any(c.flags & flag for c in within)


@given(minutes)
def test_minutes_are_minutes(found):
    """Nothing to join."""
    assert found == series(found, Interval.MINUTE)


def test_an_hour_begins_as_the_session_does():
    """At 09:15, and an hour before it what came in the pre-open."""
    times = [OPEN_MS - MINUTE_MS, OPEN_MS, OPEN_MS + 59 * MINUTE_MS]
    found = [Candle(at_ms, 1, 1, 1, 1, 1) for at_ms in times]
    hour_ms = Interval.HOUR.length_ms
    assert [OPEN_MS - hour_ms, OPEN_MS] == [
        c.start_ms for c in series(found, Interval.HOUR)
    ]


def test_a_candle_is_complete_when_late_trades_are_in():
    """15 s after its end."""
    candle = Candle(OPEN_MS, 1, 1, 1, 1, 1)
    end_ms = OPEN_MS + 5 * MINUTE_MS
    assert not is_complete(candle, Interval.FIVE_MINUTES, end_ms + 14_999)
    assert is_complete(candle, Interval.FIVE_MINUTES, end_ms + 15_000)


def test_what_is_left_out_is_the_day_shown_or_a_year():
    """And says that nothing was cut."""
    now_ms = MIDNIGHT_MS + 2 * DAY_MS
    tomorrow_ms = MIDNIGHT_MS + DAY_MS
    assert Span(MIDNIGHT_MS, tomorrow_ms) == span_of(
        Interval.MINUTE, None, None, OPEN_MS, now_ms
    )
    year = span_of(Interval.DAY, None, None, OPEN_MS, now_ms)
    assert Span(tomorrow_ms - 366 * DAY_MS, tomorrow_ms) == year


times = st.none() | st.integers(0, 2**43)


@given(st.sampled_from(Interval), times, times, st.integers(0, 2**41))
def test_no_span_is_longer_than_allowed(interval, from_ms, to_ms, now_ms):
    """Whatever is asked for; the newest part stays."""
    span = span_of(interval, from_ms, to_ms, now_ms, now_ms)
    reach_ms = DAYS_REACH_MS if interval is Interval.DAY else MINUTES_REACH_MS
    assert span.to_ms - span.from_ms <= reach_ms
    assert span.cut == (from_ms is not None and from_ms < span.from_ms)
    assert len(span.days_ms) <= reach_ms // DAY_MS + 1
