"""When a flush waits for the rest of a commit."""

from hypothesis import given
from hypothesis import strategies as st

from bse_ws_hub.hub.burst import HELD_MAX_MS, QUIET_MS, Burst


MOMENTS = st.integers(0, 800).map(lambda eighths: eighths / 8)
TIMES = st.lists(MOMENTS, max_size=30).map(sorted)


@given(TIMES, MOMENTS)
def test_a_flush_goes_when_it_is_quiet_and_never_late(changed_at, due_ms):
    """Told to wait for just the time that is named, it goes: right after a pause, or when it has waited for long."""
    burst, now_ms = Burst(), due_ms
    coming = iter([*(t for t in changed_at if t > due_ms), 1e9])
    for before in (t for t in changed_at if t <= due_ms):
        burst.changed(before)
    upcoming, newest = (
        next(coming),
        max((t for t in changed_at if t <= due_ms), default=-1e9),
    )
    while hold_ms := burst.hold_ms(now_ms, due_ms):
        assert hold_ms <= QUIET_MS
        now_ms += hold_ms
        while upcoming <= now_ms:
            newest = upcoming
            burst.changed(newest)
            upcoming = next(coming)

    waited_ms = now_ms - due_ms
    assert waited_ms <= HELD_MAX_MS
    assert now_ms - newest >= QUIET_MS or waited_ms >= HELD_MAX_MS
    assert waited_ms == 0 or newest > due_ms - QUIET_MS
