"""The law of positions: whatever happens to updates, the table holds what the hub held."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bse_client.answers import Subscription
from bse_client.fields import Mode, Quality
from bse_client.messages import QuoteImage, QuoteUpdate
from bse_client.quote_table import Outcome, QuoteTable


CODES = (1, 2, 3)
NAMES = ("last_paise", "volume", "bid_paise", "ask_paise")


def a_table(*codes: int) -> QuoteTable:
    """A table of these scrips, each with an image at sequence 0."""
    table = QuoteTable()
    table.keep(Subscription(f"S{code}", code, Mode.QUOTE) for code in codes)
    for code in codes:
        table.image(image_of(code, 0, dict.fromkeys(NAMES, 0)))
    return table


def image_of(code, sequence, fields):
    """The whole of a quote."""
    return QuoteImage(code, 1, sequence, 1, Quality.LIVE, dict(fields))


def shown(table, code):
    """The quality shown while the hub is heard."""
    return table.quote(code, live=True, hub_now_ms=None).quality


changes = st.dictionaries(
    st.sampled_from(NAMES), st.none() | st.integers(1, 9), min_size=1
)


@st.composite
def histories(draw):
    """All states of one quote, and honest updates between them: split, merged, repeated, shuffled."""
    states, deltas = [dict.fromkeys(NAMES, 0)], []
    for delta in draw(st.lists(changes, min_size=1, max_size=8)):
        deltas.append(delta)
        states.append(states[-1] | delta)
    spans = draw(st.lists(st.tuples(
        st.integers(0, len(deltas) - 1), st.integers(1, len(deltas))), max_size=12))  # fmt: skip
    updates = []
    for after, length in spans:
        to = min(after + length, len(deltas))
        merged = {name: v for delta in deltas[after:to] for name, v in delta.items()}
        updates.append(QuoteUpdate(1, after, to, merged))
    return states, updates


@settings(deadline=None)
@given(histories())
def test_only_states_of_the_hub(history):
    """However updates are merged, repeated and reordered, the quote is one that the hub held."""
    states, updates = history
    table = a_table(1)
    furthest = 0
    for update in updates:
        before = table.held[1].sequence
        result = table.update(update, 2)
        held = table.held[1]
        assert held.fields == states[held.sequence]
        assert held.sequence >= before
        assert (result.outcome is Outcome.APPLIED) == (held.sequence > before)
        furthest = max(furthest, update.to_sequence)
        assert held.is_torn == (furthest > held.sequence)


@settings(deadline=None)
@given(histories(), st.integers(0, 8))
def test_an_image_heals(history, at):
    """After an image the updates behind it apply as if nothing had been missed."""
    states, updates = history
    table = a_table(1)
    for update in updates:
        table.update(update, 2)
    at = min(at, len(states) - 1)
    table.image(image_of(1, at, states[at]))
    assert shown(table, 1) is Quality.LIVE
    for update in sorted(updates, key=lambda u: u.to_sequence):
        table.update(update, 2)
        known = {
            n: v for n, v in states[table.held[1].sequence].items() if v is not None
        }
        held = {n: v for n, v in table.held[1].fields.items() if v is not None}
        assert held == known


@settings(deadline=None)
@given(st.sampled_from(CODES), st.integers(1, 50), st.integers(1, 50))
def test_a_gap_harms_one_scrip(code, after, length):
    """A hole in one scrip makes that one stale, and changes no value of any."""
    table = a_table(*CODES)
    before = {c: dict(held.fields) for c, held in table.held.items()}
    update = QuoteUpdate(code, after, after + length, {"last_paise": 77})
    first, again = table.update(update, 2), table.update(update, 2)
    assert first.outcome is again.outcome is Outcome.GAP
    assert (first.new_gap, again.new_gap) == (True, False)
    assert {c: held.fields for c, held in table.held.items()} == before
    assert [c for c in CODES if shown(table, c) is Quality.STALE] == [code]
    assert [c for c in CODES if table.held[c].is_torn] == [code]


def test_changed_fields():
    """A result names the fields whose values are new, and only those."""
    table = a_table(1)
    fields = {"last_paise": 5, "volume": 0, "bid_paise": None}
    assert table.update(QuoteUpdate(1, 0, 1, fields), 2).changed == {"last", "bid"}
    assert table.image(image_of(1, 2, {"last_paise": 5})).changed == {"volume", "ask"}


def test_a_lost_connection():
    """After a disconnect nothing is live and no update applies until the next image."""
    table = a_table(1, 2)
    table.disconnected()
    assert shown(table, 1) is Quality.STALE
    assert (
        table.update(QuoteUpdate(1, 0, 1, {"last_paise": 5}), 2).outcome
        is Outcome.IGNORED
    )
    table.image(image_of(1, 7, {}))
    assert (shown(table, 1), shown(table, 2)) == (Quality.LIVE, Quality.STALE)


def test_scrips_outside_of_the_set():
    """What is not subscribed is not held, and what leaves the set is forgotten."""
    table = a_table(1, 2)
    assert table.keep([Subscription("S2", 2, Mode.LTP)]) == [1]
    assert table.image(image_of(1, 3, {})).outcome is Outcome.IGNORED
    assert table.update(QuoteUpdate(1, 0, 1, {}), 2).outcome is Outcome.IGNORED
    assert not table.report(1, Quality.HALTED)
    assert table.quote(1, live=True, hub_now_ms=None) is None


def test_age():
    """The age counts from the newest change, and is never below zero."""
    table = a_table(1)
    table.update(QuoteUpdate(1, 0, 1, {"volume": 3}), 500)
    assert table.quote(1, live=True, hub_now_ms=750.9).age_ms == 250
    assert table.quote(1, live=True, hub_now_ms=10.0).age_ms == 0
    assert table.quote(1, live=True, hub_now_ms=None).age_ms is None
