"""What a slow reader finds: bounded, newest wins, nothing silently gone."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from bse_client.answers import HubError
from bse_client.events import (
    Connected,
    Disconnected,
    Gap,
    QualityChanged,
    QuoteChanged,
)
from bse_client.fields import Quality
from bse_client.mailbox import Mailbox
from bse_client.messages import LostChanges
from bse_client.quote import Quote
from bse_client.testing import heartbeat


def a_quote(code, quality=Quality.LIVE):
    """A quote of this code."""
    return Quote(symbol=f"S{code}", code=code, quality=quality, age_ms=0, epoch=1,
                 sequence=1, changed_at_ms=0)  # fmt: skip


def taken(mailbox, quote_of=a_quote):
    """Everything in the mailbox."""
    events = []
    while event := mailbox.take(quote_of):
        events.append(event)
    return events


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["last", "bid", "ask"]))))
def test_no_changed_field_is_lost(changes):
    """However changes are merged, each scrip's events name all of its fields and count all changes."""
    mailbox = Mailbox()
    for code, name in changes:
        mailbox.change(code, frozenset({name}), is_image=False)
    assert len(mailbox) <= 3
    events = taken(mailbox)
    assert {(e.quote.code, n) for e in events for n in e.changed_fields} == set(changes)
    assert sum(1 + e.conflated for e in events) == len(changes)
    assert mailbox.conflated == len(changes) - len(events)


def test_it_is_bounded():
    """A thousand events of every kind leave one of each, the newest."""
    mailbox = Mailbox()
    for n in range(1_000):
        mailbox.change(1, frozenset({"last"}), is_image=n == 0)
        mailbox.quality(1, Quality.LIVE)
        mailbox.post(Gap("S1", 1, n, n + 1))
        mailbox.post(heartbeat(conflated=n))
        mailbox.post(HubError(None, "x", str(n)))
        mailbox.post(Disconnected(str(n), 0))
        mailbox.post(Connected(str(n)))
    events = taken(mailbox, lambda code: a_quote(code, Quality.STALE))
    assert len(events) == 6
    assert events[0] == QuoteChanged(
        a_quote(1, Quality.STALE), frozenset({"last"}), 999, is_image=True
    )
    assert Connected("999") in events
    assert HubError(None, "x", "999") in events
    assert not [e for e in events if isinstance(e, Disconnected)]


def test_qualities_between_are_skipped():
    """A quality that went and came back while nobody looked says nothing."""
    mailbox = Mailbox()
    mailbox.quality(1, Quality.LIVE)
    mailbox.quality(1, Quality.STALE)
    mailbox.quality(2, Quality.STALE)
    mailbox.quality(2, Quality.LIVE)
    expected = QualityChanged(a_quote(2), Quality.STALE, Quality.LIVE)
    assert taken(mailbox) == [expected]


def test_forgotten_scrips():
    """Nothing is told of a scrip that left the set, nor of one without an image."""
    mailbox = Mailbox()
    mailbox.change(1, frozenset(), is_image=True)
    mailbox.change(2, frozenset(), is_image=True)
    mailbox.quality(1, Quality.STALE)
    mailbox.forget(1)
    assert taken(mailbox, lambda _code: None) == []


def a_row(code, sequence, last=0):
    """A change of one scrip, as it left the quote."""
    quote = dataclasses.replace(a_quote(code), sequence=sequence, last_paise=last)
    return QuoteChanged(quote, frozenset({"last"}))


def test_rows_come_one_by_one():
    """Each change of `every` is an event of its own, in order, with the quote of that moment."""
    mailbox = Mailbox()
    rows = [a_row(1, n, n) for n in range(2, 6)]
    for row in rows:
        mailbox.row(row, row.quote.sequence - 1)
    assert taken(mailbox) == rows
    assert mailbox.conflated == 0


@given(st.lists(st.integers(1, 3), max_size=40), st.integers(0, 5), st.data())
def test_no_row_is_silently_lost(codes, rows_max, data):
    """However few rows may wait, each change comes by itself or is told as lost before it comes merged."""
    mailbox, sequence, seen = Mailbox(rows_max), dict.fromkeys((1, 2, 3), 0), []
    for code in codes:
        sequence[code] += 1
        mailbox.row(a_row(code, sequence[code]), sequence[code] - 1)
        assert len(mailbox) <= rows_max + 2 * 3
        if data.draw(st.booleans()) and len(mailbox):
            seen.append(mailbox.take(lambda c: a_row(c, sequence[c]).quote))
    seen += taken(mailbox, lambda c: a_row(c, sequence[c]).quote)
    reached, told = dict.fromkeys(sequence, 0), dict.fromkeys(sequence, 0)
    for event in seen:
        if isinstance(event, LostChanges):
            told[event.code] = max(told[event.code], event.to_sequence)
            continue
        code, to = event.quote.code, event.quote.sequence
        assert to == reached[code] + 1 or told[code] >= to or to == reached[code]
        reached[code] = to
    assert reached == sequence


def test_forgotten_rows():
    """What leaves the set takes its waiting rows along."""
    mailbox = Mailbox(rows_max=1)
    mailbox.row(a_row(1, 1), 0)
    mailbox.forget(1)
    mailbox.row(a_row(2, 1), 0)
    assert [event.quote.code for event in taken(mailbox)] == [2]
