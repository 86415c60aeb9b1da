"""The bounded history of single changes: what it gives is whole, or it says that it is not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bse_shared.quotes.frame import Image
from bse_shared.quotes.position import START, Position
from bse_shared.quotes.quote import EMPTY
from bse_ws_hub.hub.history import ChangeHistory


CHANGES = st.lists(
    st.tuples(st.integers(1, 3), st.booleans(), st.booleans()), max_size=40
)


@settings(max_examples=1000)
@given(CHANGES, st.integers(0, 12), st.integers(1, 3), st.integers(0, 41))
def test_all_changes_after_a_position_or_none(changes, steps_max, code, held):
    """For every scrip and every position that somebody may hold of it."""
    history = ChangeHistory(steps_max)
    positions = {1: [START], 2: [START], 3: [START]}
    whole_from = dict.fromkeys(positions, START)
    for sequence, (changed, known, asked) in enumerate(changes, start=1):
        position = Position(1, sequence)
        image = Image(position, 0, EMPTY._replace(volume=sequence))
        history.changed(changed, 1 << 5, image, known=known)
        positions[changed].append(position)
        if not known:
            whole_from[changed] = position
        if asked:
            history.after(changed, START)
    since = positions[code][held % len(positions[code])]
    expected = [p for p in positions[code] if p > since]
    found = history.after(code, since)

    oldest_kept = len(changes) - steps_max
    is_whole = since >= whole_from[code] and all(
        p.sequence > oldest_kept for p in expected
    )
    if expected and not is_whole:
        assert found is None
    else:
        assert expected == [step.image.position for step in found]


def test_it_is_bounded_over_all_scrips():
    """The oldest goes first, whoever's it is."""
    history = ChangeHistory(3)
    for sequence in range(1, 6):
        image = Image(Position(1, sequence), 0, EMPTY)
        history.changed(sequence % 2, 1, image, known=True)

    assert history.after(1, START) is None
    assert 3 == sum(len(steps) for steps in history._steps.values())
    history.changed(1, 1, Image(Position(1, 6), 0, EMPTY), known=True)
    assert history.after(1, START) is None
    assert 3 == sum(len(steps) for steps in history._steps.values())
    assert [5, 6] == [
        s.image.position.sequence for s in history.after(1, Position(1, 3))
    ]
