"""How long live is live, the hub's clock, and the waits between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_client.backoff import Backoff
from bse_client.close_codes import Ending, reason_of
from bse_client.liveness import SILENCE_MS, Liveness
from bse_client.server_clock import WINDOW_MS, ServerClock


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(-100, 9_000)), max_size=8))
def test_never_live_beyond_permission(beats):
    """Whatever comes when, live ends at the last permission and at the end of a silence."""
    liveness, now = Liveness(), 0
    liveness.connected(1_000, now)
    for wait, live_for in beats:
        now += wait
        liveness.heard(now)
        liveness.beat(live_for, now)
        end = now + min(live_for, SILENCE_MS)
        assert not liveness.is_live(end)
        assert liveness.is_live(now) == (live_for > 0)


@given(st.integers(0, 9_000), st.integers(0, 9_000))
def test_the_next_check_is_the_next_change(live_for, wait):
    """Between now and the next check neither answer changes; at the check one does."""
    liveness = Liveness()
    liveness.connected(1_000, 0)
    liveness.beat(live_for, 0)
    now = float(min(wait, 4_999))
    check = liveness.next_check_ms(now)
    before = liveness.is_live(now), liveness.is_lost(now)
    assert (liveness.is_live(check - 0.5), liveness.is_lost(check - 0.5)) == before
    assert (liveness.is_live(check), liveness.is_lost(check)) != before


def test_a_silence_latches():
    """After a silence, an update alone does not make prices live again; a heartbeat does."""
    liveness = Liveness()
    liveness.connected(1_000, 0)
    liveness.beat(9_000, 0)
    liveness.heard(3_000)
    assert not liveness.is_live(3_001)
    liveness.beat(9_000, 3_002)
    assert liveness.is_live(3_003)


def test_not_live_before_and_after_a_connection():
    """Without a connection nothing is live, and a slow heartbeat interval makes us patient."""
    liveness = Liveness()
    assert not liveness.is_live(0)
    liveness.connected(10_000, 0)
    assert liveness.is_live(0)
    assert not liveness.is_lost(49_999)
    assert liveness.is_lost(50_000)
    liveness.disconnected()
    assert not liveness.is_live(0)


@given(st.integers(0, 10**13), st.lists(st.integers(0, 5_000), min_size=1, max_size=20))
def test_delays_are_seen(offset, delays):
    """A message that took longer than the quickest is late by the difference."""
    clock = ServerClock()
    for n, delay in enumerate(delays):
        late = clock.observe(offset + n * 1_000, n * 1_000 + delay)
        assert late == delay - min(delays[: n + 1])
    now = len(delays) * 1_000
    assert clock.now_ms(now) == offset + now - min(delays)


def test_a_stepped_clock_is_forgotten():
    """When the hub's clock is set back, messages look late for two windows at most."""
    clock = ServerClock()
    assert clock.now_ms(0) is None
    assert clock.observe(100_000, 0) == 0
    assert clock.observe(96_000, 1_000) == 5_000
    assert clock.observe(95_000 + WINDOW_MS, WINDOW_MS) == 5_000
    assert clock.observe(95_000 + 2 * WINDOW_MS, 2 * WINDOW_MS) == 0


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff(failures, chance):
    """Waits stay within the limits, whole range used, doubling from a quarter of a second."""
    limit = min(30.0, 0.25 * 2 ** min(failures, 10))
    assert Backoff().wait_s(failures, lambda: chance) == pytest.approx(chance * limit)


@pytest.mark.parametrize(
    ("code", "final"),
    [(1000, False), (1001, False), (1006, False), (1009, True), (4000, False),
     (4001, False), (4011, False), (4499, False), (1002, True), (1007, True), (4500, True), (4999, True), (None, False)],
)  # fmt: skip
def test_close_codes(code, final):
    """4500 to 4999 and 1009 forbid to come back, everything else invites."""
    assert Ending("x", code).is_final is final
    assert Ending("x", code, reconnect=False).is_final
    assert reason_of(code, None)
    assert reason_of(code, "said") == "said"
