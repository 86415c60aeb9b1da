"""The wheel of heartbeats: everybody in his turn, nobody twice, whoever comes and goes."""

from hypothesis import given
from hypothesis import strategies as st

from bse_ws_hub.hub.heartbeat_wheel import SLOT_MS, SLOTS, HeartbeatWheel


@given(
    st.lists(st.integers(1, 250), min_size=1, max_size=20),
    st.lists(st.integers(1, 300), max_size=30),
    st.integers(0, 19),
)
def test_each_is_due_once_an_interval(intervals, turns, leaver):
    """However unevenly time goes on, as long as no turn is longer than the wheel."""
    wheel = HeartbeatWheel()
    next_due = {}
    for member, slots in enumerate(intervals):
        wheel.put(member, slots)
        next_due[member] = slots
    wheel.remove(leaver)
    next_due.pop(leaver, None)
    now = 0
    for turn in turns:
        now += min(turn, SLOTS)
        due = wheel.turn(turn)
        assert sorted(m for m, at in next_due.items() if at <= now) == sorted(due)
        for member in due:
            wheel.put(member, intervals[member])
            next_due[member] = now + intervals[member]


def test_intervals_are_counted_in_slots():
    """At least one, at most the wheel."""
    assert [1, 25, 250, SLOTS - 1] == [
        HeartbeatWheel.slots_of(ms) for ms in (1, 500, 250 * SLOT_MS, 3_600_000)
    ]
