"""Which rows are an old copy, and when the past is the truth after all."""

from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.polling.plausibility import (
    AHEAD_ROWS,
    FUTURE_MAX_MS,
    NEW_TIMELINE_AFTER,
    Timeline,
    clock_is_ahead,
)
from bse_fetcher.polling.plausibility import contradiction as contradiction_at
from bse_shared.quotes.quote import EMPTY, NUMBER
from bse_shared.testing.builders import a_quote, seen


NOON_MS = 1_795_329_000_000
"""Noon in India on a trading day."""

DAY_MS = 86_400_000
HELD = a_quote(exchange_time_ms=NOON_MS, volume=1000)


def contradiction(held, fields, now_ms=NOON_MS + 2 * DAY_MS):
    """What contradicts, at a time after all of it."""
    return contradiction_at(held, fields, now_ms)


def told(**fields):
    """A row as the source tells it."""
    return {NUMBER[name]: value for name, value in fields.items()}


def test_an_older_time_is_an_old_copy():
    """A cache in between may answer with what was."""
    assert "time_went_back" == contradiction(
        HELD, told(exchange_time_ms=NOON_MS - 1000, volume=2000)
    )


def test_less_volume_on_the_same_day_is_an_old_copy():
    """Trades are not taken back within a day, as a rule."""
    assert "volume_went_back" == contradiction(
        HELD, told(exchange_time_ms=NOON_MS, volume=999)
    )


def test_volume_starts_anew_each_day():
    """The next Indian day begins at zero, also before midnight UTC."""
    just_after_midnight = NOON_MS + DAY_MS // 2

    assert "" == contradiction(
        HELD, told(exchange_time_ms=just_after_midnight, volume=0)
    )
    assert "volume_went_back" == contradiction(
        HELD, told(exchange_time_ms=just_after_midnight - 1, volume=0)
    )


def test_a_row_that_was_seen_before_is_no_contradiction():
    """An unchanged price is confirmed."""
    assert "" == contradiction(HELD, seen(HELD))


def test_what_is_not_known_contradicts_nothing():
    """A new scrip, a row without time or volume, a held quote without either."""
    assert "" == contradiction(EMPTY, told(exchange_time_ms=1, volume=1))
    assert "" == contradiction(HELD, told(volume=1))
    assert "" == contradiction(HELD, told(exchange_time_ms=None, volume=1))
    assert "" == contradiction(HELD, told(exchange_time_ms=NOON_MS, volume=None))
    timeless = a_quote(exchange_time_ms=None)
    assert "" == contradiction(timeless, told(exchange_time_ms=1, volume=1))
    unsold = a_quote(exchange_time_ms=NOON_MS, volume=None)
    assert "" == contradiction(unsold, told(exchange_time_ms=NOON_MS, volume=0))


@given(
    st.integers(0, 3 * DAY_MS), st.integers(0, 100), st.integers(0, DAY_MS),
    st.integers(0, 100),
)  # fmt: skip
def test_a_day_that_goes_on_is_never_doubted(since_ms, volume, later_ms, more):
    """Time and volume that only grow are always taken."""
    held = a_quote(exchange_time_ms=NOON_MS + since_ms, volume=volume)

    assert "" == contradiction(
        held,
        told(exchange_time_ms=NOON_MS + since_ms + later_ms, volume=volume + more),
    )


def test_the_past_is_believed_when_it_stays():
    """The clock was put back for the whole market: ten answers later it is the truth."""
    timeline = Timeline()
    market = range(500_000, 500_060)

    for _ in range(NEW_TIMELINE_AFTER - 1):
        assert set() == timeline.believed(market, market)
    assert set(market) == timeline.believed(market, market)
    assert set() == timeline.believed(market, market)


def test_one_scrip_that_was_corrected_is_believed_as_well():
    """A cancelled trade lowers one scrip's volume: it must not be frozen for the rest of the day."""
    timeline = Timeline()

    for _ in range(NEW_TIMELINE_AFTER - 1):
        assert set() == timeline.believed({500325}, {500325, 532540})
    assert {500325} == timeline.believed({500325, 532540}, {500325, 532540})


def test_old_copies_between_good_answers_are_never_believed():
    """A cache that now and then answers with what was can go on for ever."""
    timeline = Timeline()

    for _ in range(10):
        for _ in range(NEW_TIMELINE_AFTER - 1):
            assert set() == timeline.believed({500325}, {500325, 532540})
        assert set() == timeline.believed({}, {500325})


@given(st.lists(st.sets(st.integers(1, 5)), max_size=60))
def test_only_ten_in_a_row_are_believed(answers):
    """For each scrip by itself, and then it is counted from the start."""
    timeline = Timeline()
    in_a_row = dict.fromkeys(range(1, 6), 0)

    for doubtful in answers:
        believed = timeline.believed(doubtful, range(1, 6))
        for code in in_a_row:
            in_a_row[code] = in_a_row[code] + 1 if code in doubtful else 0
            assert (in_a_row[code] == NEW_TIMELINE_AFTER) == (code in believed)
            if code in believed:
                in_a_row[code] = 0


def test_a_batch_says_nothing_of_other_scrips():
    """A scrip that a batch does not tell of goes on where it was."""
    timeline = Timeline()

    for _ in range(NEW_TIMELINE_AFTER - 1):
        assert set() == timeline.believed({500325}, {500325})
        assert set() == timeline.believed({}, {532540})
    assert {500325} == timeline.believed({500325}, {500325})


def test_a_trade_of_tomorrow_is_not_believed():
    """One bad stamp must not make every later row look old; a small difference of clocks is none."""
    late = NOON_MS + FUTURE_MAX_MS + 1

    assert "time_in_future" == contradiction(
        HELD, told(exchange_time_ms=late), now_ms=NOON_MS
    )
    assert "" == contradiction(HELD, told(exchange_time_ms=late), now_ms=NOON_MS + 1)


def test_a_source_that_lives_in_the_future_is_followed():
    """A replay plays a day that is not today."""
    held = a_quote(exchange_time_ms=NOON_MS + DAY_MS)

    assert "" == contradiction(
        held, told(exchange_time_ms=NOON_MS + DAY_MS + 3000), now_ms=NOON_MS
    )


def test_many_rows_of_the_future_are_another_clock():
    """A few are bad rows."""
    ahead = told(exchange_time_ms=NOON_MS + FUTURE_MAX_MS + 1)
    now = [told(exchange_time_ms=NOON_MS + FUTURE_MAX_MS), told(volume=1), {}]

    assert not clock_is_ahead([*[ahead] * AHEAD_ROWS, *now * 10], NOON_MS)
    assert clock_is_ahead([*[ahead] * (AHEAD_ROWS + 1), *now * 10], NOON_MS)
