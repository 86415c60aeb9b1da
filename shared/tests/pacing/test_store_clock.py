"""One time base for all processes: laws of the estimate of the store's clock."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.pacing.store_clock import DRIFT, StoreClock


START_MS = 1_795_334_400_000.0
"""What the store's clock says when our monotonic clock, if it were perfect, says 0."""

DRIFTS = st.floats(-DRIFT, DRIFT)
ROUND_TRIPS = st.lists(
    st.tuples(
        st.floats(0, 3_600_000),  # pause before it
        st.floats(0, 2_000),  # way there
        st.floats(0, 2_000),  # way back
    ),
    min_size=1,
    max_size=20,
)


class Host:
    """A host whose monotonic clock drifts, and a store that may step: both against true time."""

    def __init__(self, drift, boot_ms=0.0):
        self.clock = StoreClock()
        self.true_ms = 0.0
        self.stepped_ms = 0.0
        self._rate = 1 + drift
        self._boot_ms = boot_ms

    def monotonic_ms(self):
        """What our clock reads."""
        return self._boot_ms + self.true_ms * self._rate

    def store_ms(self):
        """What the store's clock reads."""
        return START_MS + self.stepped_ms + self.true_ms

    def ask(self, there_ms, back_ms):
        """One round trip; returns how far the answer may be off."""
        sent_ms = self.monotonic_ms()
        self.true_ms += there_ms
        told_ms = self.store_ms()
        self.true_ms += back_ms
        self.clock.observe(sent_ms, self.monotonic_ms(), told_ms)
        return (there_ms + back_ms) / 2

    def error_ms(self):
        """How far the estimate is off now."""
        return abs(self.clock.now_ms(self.monotonic_ms()) - self.store_ms())


# Whole milliseconds are told, and 200 ppm of a round trip lie within the measuring.
ROUNDING_MS = 1 + 4_000 * DRIFT


@given(DRIFTS, ROUND_TRIPS, st.floats(0, 3_600_000))
def test_never_off_by_more_than_the_best_answer_and_the_drift_since(
    drift, round_trips, idle_ms
):
    """Half a round trip and 200 ppm of the time since: of all answers the best bound holds."""
    host = Host(drift)
    bounds = []
    for pause_ms, there_ms, back_ms in round_trips:
        host.true_ms += pause_ms
        bound_ms = host.ask(there_ms, back_ms)
        bounds.append((host.true_ms, bound_ms))
        _check(host, bounds)
    host.true_ms += idle_ms
    _check(host, bounds)


def _check(host, bounds):
    best_ms = min(ms + (host.true_ms - at_ms) * DRIFT * 1.001 for at_ms, ms in bounds)
    assert host.error_ms() <= best_ms + ROUNDING_MS


@given(
    DRIFTS,
    ROUND_TRIPS,
    st.floats(0, 1e9),
    st.sampled_from([-1, 1]),
    st.floats(0, 1_000),
    st.floats(0, 1_000),
)
def test_a_step_of_the_stores_clock_is_followed(
    drift, round_trips, beyond_ms, sign, there_ms, back_ms
):
    """After a fail-over to a host with another time the first answer counts, however precise the old one.

    A step within what neither answer can tell from measuring is none.
    """
    host = Host(drift)
    known_ms = 0.0
    for pause_ms, *trip in round_trips:
        host.true_ms += pause_ms
        known_ms = host.ask(*trip)
    tellable_ms = 2 * (known_ms + (there_ms + back_ms) / 2) + 10
    host.stepped_ms = sign * (tellable_ms + beyond_ms)
    bound_ms = host.ask(there_ms, back_ms)

    assert host.error_ms() <= bound_ms + ROUNDING_MS


@given(ROUND_TRIPS, st.floats(0, 1e12))
def test_what_our_own_clock_reads_does_not_matter(round_trips, boot_ms):
    """Two hosts that booted at other times, and whose wall clocks differ, know the same store time."""
    one, other = Host(0.0), Host(0.0, boot_ms=float(int(boot_ms)))
    for pause_ms, *trip in round_trips:
        for host in (one, other):
            host.true_ms += pause_ms
            host.ask(*trip)

    told = [host.clock.now_ms(host.monotonic_ms()) for host in (one, other)]
    assert abs(told[0] - told[1]) <= 1


def test_unknown_until_the_first_answer():
    """Nobody may take 0 for a time."""
    clock = StoreClock()
    assert not clock.known
    assert 0 == clock.now_ms(5_000)

    clock.observe(1_000, 1_002, START_MS)
    assert clock.known
    assert START_MS + 9 == clock.now_ms(1_010)


def test_a_slow_answer_does_not_spoil_a_precise_one():
    """A reply that waited two seconds somewhere says little."""
    clock = StoreClock()
    clock.observe(1_000, 1_000.2, START_MS)
    clock.observe(2_000, 4_000, START_MS + 1_100)

    assert START_MS + 3_000 == clock.now_ms(4_000.1)


def test_a_precise_answer_ages():
    """After long enough even a slower one is better than what drifted since."""
    clock = StoreClock()
    clock.observe(0, 0.2, START_MS)
    ten_minutes_ms = 600_000
    clock.observe(ten_minutes_ms, ten_minutes_ms + 10, START_MS + ten_minutes_ms + 65)

    assert START_MS + ten_minutes_ms + 70 == clock.now_ms(ten_minutes_ms + 10)
