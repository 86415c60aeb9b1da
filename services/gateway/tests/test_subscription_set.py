"""What a subscribe request makes of a set."""

import pytest

from bse_gateway.subscription_set import NextSet, Refusal, next_set
from bse_shared.quotes.modes import Mode
from bse_shared.testing.builders import INFY, RELIANCE, TCS
from bse_shared.wire.records import SubscriptionRecord


def held(*scrips, mode="ltp"):
    """A stored set."""
    return SubscriptionRecord(
        client_id="c", mode=mode, codes=[s.code for s in scrips], updated_at_ms=1
    )


def asked(*scrips):
    """Scrips by their symbols."""
    return [(scrip.symbol, scrip) for scrip in scrips]


@pytest.mark.parametrize(
    ("before", "action", "scrips", "after", "mode"),
    [
        (None, "set", [TCS], [TCS], Mode.QUOTE),
        (held(INFY), "set", [TCS], [TCS], Mode.QUOTE),
        (held(INFY), "add", [TCS, INFY, TCS], [INFY, TCS], Mode.LTP),
        (None, "add", [TCS], [TCS], Mode.QUOTE),
        (held(INFY, TCS), "remove", [INFY], [TCS], Mode.LTP),
    ],
)
def test_the_resulting_set(before, action, scrips, after, mode):
    """Set replaces, add keeps the order of subscribing, remove leaves the rest; a held mode stays."""
    found = next_set(before, action, asked(*scrips), None, 10)
    assert NextSet([s.code for s in after], mode, []) == found


def test_a_mode_given_is_taken_whatever_the_action():
    """Adding in another mode changes the mode of the set."""
    assert Mode.FULL is next_set(held(), "add", asked(TCS), Mode.FULL, 10).mode


def test_a_mode_of_a_newer_version_becomes_the_default():
    """A record that we only half understand does not stop the client."""
    before = held(TCS, mode="depth20")
    assert Mode.QUOTE is next_set(before, "add", [], None, 10).mode


def test_a_full_set_refuses_by_name():
    """What did not fit is told as the client wrote it."""
    wanted = [("reliance", RELIANCE), ("532540", TCS), ("INFY", INFY)]
    found = next_set(held(INFY), "add", wanted, None, 2)
    assert [INFY.code, RELIANCE.code] == found.codes
    assert [("532540", Refusal.TOO_MANY_SYMBOLS)] == found.refused


def test_removing_what_is_not_there_is_told():
    """The client learns that its picture of the set is wrong; the held record is left alone."""
    before = held(INFY)
    found = next_set(before, "remove", asked(TCS, INFY), None, 10)
    assert ([], [("TCS", Refusal.NOT_SUBSCRIBED)]) == (found.codes, found.refused)
    assert [INFY.code] == before.codes
