"""Turns: everybody has one in each round, and no step does much more than another."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from bse_ws_hub.hub.rounds import Rounds


NAMES = "abcdefghijkl"

presences = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.none()), min_size=1, max_size=60
)


@given(st.integers(1, 7), presences, st.integers(1, 6))
def test_who_stays_has_a_turn_within_two_rounds(steps, presences, held_for):
    """Whoever comes and goes around him; the work of a step is bounded by the crowd of its round."""
    rounds, waits = Rounds(steps), dict.fromkeys(NAMES, 0)
    crowd = 0
    for number, present in enumerate(p for p in presences for _ in range(held_for)):
        if number % steps == 0:
            crowd = len(present)
        taken = rounds.turn(present)
        assert len(taken) <= ceil(crowd / steps)
        for name in NAMES:
            waits[name] = waits[name] + 1 if name in present else 0
        for name in taken:
            waits[name] = 0
        assert max(waits.values()) < 2 * steps


@given(st.integers(1, 7), st.integers(0, 12), st.data())
def test_whose_turn_came_to_nothing_is_the_next(steps, count, data):
    """However often it fails, all have had their turn by the end of the round after."""
    rounds, present = Rounds(steps), dict.fromkeys(NAMES[:count])
    had = set()
    for _ in range(steps):
        taken = rounds.turn(present)
        if data.draw(st.booleans()):
            rounds.again(taken)
        else:
            had.update(taken)
    for _ in range(steps):
        had.update(rounds.turn(present))

    assert set(present) == had


def test_few_are_taken_once_a_round():
    """One client is no reason for a command each step."""
    rounds = Rounds(10)
    assert 3 == sum(len(rounds.turn({"a": None})) for _ in range(30))
