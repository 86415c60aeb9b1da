"""Laws of the audit chain."""

from hypothesis import given
from hypothesis import strategies as st

from bse_shared.access.audit import START, Act, first_break, linked


PEPPER = b"p" * 32
TEXT = st.text(max_size=12)
ACTS = st.lists(
    st.builds(Act, at_ms=st.integers(0), who=TEXT, what=TEXT, result=TEXT), max_size=6
)


def chained(acts, pepper=PEPPER, previous=START):
    """The acts as a log, and the digest of its newest."""
    entries = []
    for act in acts:
        entry = linked(act, previous, pepper)
        entries.append(entry)
        previous = entry.digest
    return entries, previous


@given(ACTS, st.integers(0, 6))
def test_a_true_log_holds_wherever_its_old_end_was_cut(acts, kept):
    """The log is bounded."""
    entries, newest = chained(acts)
    assert first_break(entries[len(entries) - kept :], newest, PEPPER) is None


@given(ACTS.filter(bool), st.data())
def test_a_changed_dropped_or_inserted_entry_breaks_it(acts, data):
    """At the place where it was done, or at the one behind it."""
    entries, newest = chained(acts)
    place = data.draw(st.integers(0, len(entries) - 1))
    forged = linked(
        Act(at_ms=1, who="me", what="nothing", result="none"),
        entries[place].previous,
        b"q" * 32,
    )
    changed = [*entries[:place], forged, *entries[place + 1 :]]
    inserted = [*entries[:place], forged, *entries[place:]]
    assert place == first_break(changed, newest, PEPPER)
    assert place == first_break(inserted, newest, PEPPER)
    if place:
        dropped = [*entries[:place], *entries[place + 1 :]]
        assert place == first_break(dropped, newest, PEPPER)


@given(ACTS.filter(lambda acts: len(acts) > 1))
def test_entries_cut_off_at_the_new_end_show(acts):
    """By the digest that is kept beside the log."""
    entries, newest = chained(acts)
    assert len(entries) - 1 == first_break(entries[:-1], newest, PEPPER)
