"""The set, and what is asked for again after a reconnect."""

import pytest

from bse_client.answers import (
    Limits,
    Rejection,
    Resumed,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.commands import (
    BATCH_MAX,
    POSITIONS_MAX,
    Asked,
    Want,
    batches,
    normal,
    position_batches,
)
from bse_client.fields import Mode
from bse_client.subscriptions import Restore, Subscriptions
from bse_client.testing.builders import RELIANCE, TCS
from bse_client.wire import encode


def answered(subs, asked, *symbols, rejected=()):
    """The hub carries out a command."""
    kind = Unsubscribed if asked.op == "unsubscribe" else Subscribed
    subs.receive(kind(1, symbols, rejected), asked)


QUOTE, LTP, FULL = Want.of("quote"), Want.of("ltp"), Want.of("full")


def asked(*names, want=QUOTE):
    """A subscribe command."""
    return Asked("subscribe", names, want)


def test_names_become_codes():
    """Symbols, codes and ISINs that were answered are asked for again by code."""
    subs = Subscriptions(unanswered={"INE002A01018": QUOTE, "NOSUCH": QUOTE})
    assert subs.restore() == [Restore(QUOTE, (), ("INE002A01018", "NOSUCH"))]
    rejection = Rejection("NOSUCH", "unknown_symbol", "")
    answered(subs, asked("INE002A01018", "NOSUCH"), RELIANCE, rejected=(rejection,))
    subs.disconnected()
    assert subs.restore() == [Restore(QUOTE, (), ("500325",))]
    assert subs.code_of("reliance") == subs.code_of(500325) == 500325


def test_positions_go_on():
    """What is held is resumed from where it is; what is not is subscribed anew."""
    subs = Subscriptions()
    answered(subs, asked("RELIANCE", "TCS"), RELIANCE, TCS)
    subs.disconnected()
    held = (500325, 9, 12)
    assert subs.restore([held, (1, 2, 3)]) == [Restore(QUOTE, (held,), ("532540",))]


def test_a_rejected_return_is_final():
    """A scrip that the hub knows no more is not asked for again."""
    subs = Subscriptions(own={500325: QUOTE, 532540: QUOTE})
    back = Asked("resume", want=QUOTE, positions=((500325, 1, 1), (532540, 1, 1)))
    subs.receive(Resumed(1, (TCS,), (), (532540,), ()), back)
    assert subs.own == {532540: QUOTE}


def test_the_newest_want_is_restored():
    """A scrip subscribed again in another way, under any name, comes back in that way."""
    subs = Subscriptions()
    answered(subs, asked("RELIANCE", "TCS"), RELIANCE, TCS)
    full = Subscription("TCS", 532540, Mode.FULL, TCS.isin)
    answered(subs, asked(TCS.isin, want=FULL), RELIANCE, full)
    assert subs.own == {500325: QUOTE, 532540: FULL}
    fields = Subscription("TCS", 532540, None, TCS.isin, ("last",), 3.003)
    answered(
        subs, asked("TCS", want=Want.of(fields=["last"], max_hz=3)), RELIANCE, fields
    )
    assert subs.own[532540] == Want(None, ("last",), 3.003)
    assert subs.by_want([500325, 532540, 7]) == [
        (QUOTE, ("500325",)),
        (Want(None, ("last",), 3.003), ("532540",)),
    ]


def test_a_selection_of_many():
    """An index or the market takes over scrips that only a client id had brought in, or that change."""
    subs = Subscriptions()
    subs.receive(Subscribed(None, (RELIANCE,), ()), None)
    full = Subscription("TCS", 532540, Mode.FULL)
    subs.receive(Subscribed(None, (RELIANCE, full), ()), None)
    answered(subs, asked("INDEX:SENSEX"), RELIANCE, TCS)
    assert subs.own == {500325: QUOTE, 532540: QUOTE}


def test_unsubscribed_scrips_stay_away():
    """What was unsubscribed under any name is not asked for again."""
    subs = Subscriptions(unanswered={"TCS": LTP})
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
    positions = tuple((999_999, 2**53, 2**40 + n) for n in range(1_500))
    portions = list(position_batches(positions, limits))
    assert tuple(p for portion in portions for p in portion) == positions
    assert max(map(len, portions)) <= POSITIONS_MAX
    if message_bytes and message_bytes >= 1_000:
        texts = [
            encode(Asked("resume", positions=p).members(1), "json") for p in portions
        ]
        assert max(map(len, texts)) < message_bytes
    cut = list(batches(names, limits))
    assert tuple(name for batch in cut for name in batch) == names
    assert max(map(len, cut)) <= BATCH_MAX
    if message_bytes and message_bytes >= 1_000:
        assert all(
            sum(len(n) + 3 for n in batch) + 100 < message_bytes for batch in cut
        )


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mode": "ltp", "fields": ["last"]}, "not both"),
        ({"every": True, "max_hz": 2}, "not both"),
        ({"mode": "most"}, "not a valid Mode"),
        ({"fields": "last"}, "must be a list"),
    ],
)
def test_wants_that_make_no_sense(options, error):
    """Contradictions are refused before anything is sent."""
    with pytest.raises((ValueError, TypeError), match=error):
        Want.of(**options)
