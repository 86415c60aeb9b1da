"""Which prices are marked as suspect: by their own row, and by a second source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.polling.validation import (
    LAPSES_AFTER_MS,
    CrossCheck,
    Seen,
    doubt,
    with_todays_limits,
)
from bse_shared.quotes.quote import EMPTY, NUMBER
from bse_shared.testing.builders import a_quote


PRICES = st.integers(1, 10**9)
NOON_MS, DAY_MS = 1_795_334_400_000, 86_400_000


def told(**fields):
    """A row as a source tells it."""
    return {NUMBER[name]: value for name, value in fields.items()}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"last_paise": 100, "high_paise": 110, "low_paise": 90}, ""),
        ({"last_paise": 111, "high_paise": 110, "low_paise": 90}, "outside_day_range"),
        ({"last_paise": 89, "high_paise": 110, "low_paise": 90}, "outside_day_range"),
        ({"last_paise": 89, "high_paise": None, "low_paise": 90}, ""),
        ({"last_paise": 140, "previous_close_paise": 100}, ""),
        ({"last_paise": 141, "previous_close_paise": 100}, "far_from_close"),
        ({"last_paise": 59, "previous_close_paise": 100}, "far_from_close"),
        ({"last_paise": 59, "previous_close_paise": None}, ""),
        ({"volume": 7}, ""),
    ],
)
def test_a_row_must_fit_together(fields, why):
    """What it does not say is no reason for a doubt."""
    assert why == doubt(told(**fields), EMPTY)


def test_a_price_beyond_the_known_limits_is_doubtful():
    """The exchange would not have let it happen."""
    held = a_quote(lower_circuit_paise=200, upper_circuit_paise=300)

    assert ["outside_band", "", "", "outside_band"] == [
        doubt(told(last_paise=last), held) for last in (199, 200, 300, 301)
    ]
    assert "" == doubt(told(last_paise=1), a_quote())


def test_the_rows_own_limits_count_before_those_that_are_held():
    """A broker tells them with each price; they may have been widened since."""
    held = a_quote(lower_circuit_paise=200, upper_circuit_paise=300)
    wider = {"lower_circuit_paise": 150, "upper_circuit_paise": 350}

    assert ["outside_band", "", "", "outside_band"] == [
        doubt(told(last_paise=last, **wider), held) for last in (149, 150, 350, 351)
    ]
    assert "outside_band" == doubt(told(last_paise=149, **wider), EMPTY)


def test_a_new_day_does_away_with_the_last_days_limits():
    """They are set anew each morning: yesterday's would doubt a true price."""
    held = a_quote(
        exchange_time_ms=NOON_MS, lower_circuit_paise=200, upper_circuit_paise=300
    )
    today = told(last_paise=310, exchange_time_ms=NOON_MS + 1)
    tomorrow = told(last_paise=310, exchange_time_ms=NOON_MS + DAY_MS)
    with_limit = {**tomorrow, NUMBER["upper_circuit_paise"]: 305}

    assert "outside_band" == doubt(with_todays_limits(today, held), held)
    assert "" == doubt(with_todays_limits(tomorrow, held), held)
    assert "outside_band" == doubt(with_todays_limits(with_limit, held), held)
    cleared = with_todays_limits(tomorrow, held)
    assert cleared[NUMBER["lower_circuit_paise"]] is None
    assert tomorrow is with_todays_limits(tomorrow, a_quote(exchange_time_ms=NOON_MS))


@pytest.mark.parametrize(
    ("last", "tick", "why"),
    [(10_005, 5, ""), (10_003, 5, "off_tick"), (10_003, 1, ""), (7, 1, "")],
)
def test_a_price_between_two_ticks_is_doubtful(last, tick, why):
    """Where the tick is known; whole paise where it is not."""
    assert why == doubt(told(last_paise=last), EMPTY, tick)


def a_check():
    """Tolerates one percent, and trades 20 s apart."""
    return CrossCheck(1.0, 20_000)


def test_a_price_diverges_when_it_differs_twice_in_a_row():
    """Two sources are never asked in the same instant: once proves nothing."""
    check = a_check()
    ours, theirs = Seen(10_200, 0, None), Seen(10_000, 0, None)
    assert check.compare(7, ours, theirs, 0) is False
    assert {} == check.diverging
    assert check.compare(7, ours, theirs, 0) is False
    assert {7: "price_diverges"} == check.diverging
    assert check.compare(7, theirs, theirs, 0) is True
    assert {} == check.diverging
    assert check.compare(7, ours, theirs, 0) is False
    assert {} == check.diverging


def test_volumes_of_the_same_instant_are_compared_too():
    """A price may agree by chance."""
    check = a_check()
    for _ in range(2):
        check.compare(7, Seen(100, 5, 1_000), Seen(100, 5, 2_001), 0)
    assert {7: "volume_diverges"} == check.diverging

    assert check.compare(7, Seen(100, 6, 1_000), Seen(100, 5, 2_001), 0) is True


def test_prices_of_different_times_are_not_compared():
    """A delayed source says nothing against a live one, and clears nothing."""
    check = a_check()
    ours = Seen(200, 30_000, None)
    for _ in range(2):
        check.compare(7, ours, Seen(100, 30_000, None), 0)

    assert check.compare(7, ours, Seen(200, 0, None), 0) is None
    assert {7: "price_diverges"} == check.diverging


def test_what_can_not_be_compared_any_more_is_cleared_in_the_end():
    """A second source that went silent can't hold a price under suspicion for ever."""
    check = a_check()
    ours, theirs = Seen(10_200, 0, None), Seen(10_000, 0, None)
    for now_ms in (0, 5_000):
        check.compare(7, ours, theirs, now_ms)
    check.lapse(5_000 + LAPSES_AFTER_MS)
    assert {7: "price_diverges"} == check.diverging
    check.compare(7, ours, theirs, 8_000)
    check.lapse(8_000 + LAPSES_AFTER_MS)
    assert {7: "price_diverges"} == check.diverging
    check.lapse(8_001 + LAPSES_AFTER_MS)
    assert {} == check.diverging
    check.compare(7, ours, theirs, 9_000 + LAPSES_AFTER_MS)
    assert {} == check.diverging


@given(PRICES, st.lists(st.integers(-5, 5)))
def test_what_stays_within_the_tolerance_never_diverges(price, wobbles):
    """However often it is compared."""
    check = a_check()
    for wobble in wobbles:
        near = price + wobble * (price // 1000)
        assert check.compare(7, Seen(near, 0, None), Seen(price, 0, None), 0) is True
    assert {} == check.diverging
