"""The set, and what is asked for again after a reconnect."""

import pytest

from bse_client.fields import Mode
from bse_client.messages import (
    Limits,
    Rejection,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.subscriptions import BATCH_MAX, Asked, Subscriptions, batches, normal
from bse_client.testing.builders import RELIANCE, TCS


def answered(subs, asked, *symbols, rejected=()):
    """The hub carries out a command."""
    kind = Unsubscribed if asked.op == "unsubscribe" else Subscribed
    subs.receive(kind(1, symbols, rejected), asked)


def asked(*names, mode=Mode.QUOTE):
    """A subscribe command."""
    return Asked("subscribe", names, mode)


def test_names_become_codes():
    """Symbols, codes and ISINs that were answered are asked for again by code."""
    subs = Subscriptions(unanswered={"INE002A01018": Mode.QUOTE, "NOSUCH": Mode.QUOTE})
    assert subs.restore() == [(Mode.QUOTE, ("INE002A01018", "NOSUCH"))]
    rejection = Rejection("NOSUCH", "unknown_symbol", "")
    answered(subs, asked("INE002A01018", "NOSUCH"), RELIANCE, rejected=(rejection,))
    subs.disconnected()
    assert subs.restore() == [(Mode.QUOTE, ("500325",))]
    assert subs.code_of("reliance") == subs.code_of(500325) == 500325


def test_the_newest_mode_is_restored():
    """A scrip subscribed again in another mode comes back in that mode."""
    subs = Subscriptions()
    answered(subs, asked("RELIANCE", "TCS"), RELIANCE, TCS)
    full = Subscription("TCS", 532540, Mode.FULL)
    answered(subs, asked("532540", mode=Mode.FULL), RELIANCE, full)
    assert dict(subs.restore()) == {Mode.QUOTE: ("500325",), Mode.FULL: ("532540",)}


def test_unsubscribed_scrips_stay_away():
    """What was unsubscribed under any name is not asked for again."""
    subs = Subscriptions(unanswered={"TCS": Mode.LTP})
    answered(subs, asked("RELIANCE"), RELIANCE)
    answered(subs, Asked("unsubscribe", ("500325", "TCS")))
    assert subs.restore() == []


def test_a_set_of_a_client_id_belongs_to_the_hub():
    """Scrips that came unasked are held, but not asked for again; repeats change nothing."""
    subs = Subscriptions()
    subs.receive(Subscribed(None, (RELIANCE,), ()), None)
    subs.receive(
        Subscribed(4, (RELIANCE,), ()), Asked("subscribe", ("500325",), is_repeat=True)
    )
    assert set(subs.held) == {500325}
    assert subs.restore() == []


def test_normal_names():
    """Names go out in capitals, once each; a bare text is a mistake."""
    assert normal([" tcs", "TCS", 500325]) == ("TCS", "500325")
    with pytest.raises(TypeError, match="must be a list"):
        normal("TCS")


@pytest.mark.parametrize("message_bytes", [None, 1, 1_000, 1_000_000])
def test_batches(message_bytes):
    """Batches keep order, lose nothing, and fit into the hub's messages."""
    names = tuple(f"N{n:039}" for n in range(450))
    limits = message_bytes and Limits(5_000, message_bytes)
    cut = list(batches(names, limits))
    assert tuple(name for batch in cut for name in batch) == names
    assert max(map(len, cut)) <= BATCH_MAX
    if message_bytes and message_bytes >= 1_000:
        assert all(
            sum(len(n) + 3 for n in batch) + 100 < message_bytes for batch in cut
        )
