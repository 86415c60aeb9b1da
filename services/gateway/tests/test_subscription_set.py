"""What a subscribe request makes of a set."""

import pytest

from bse_gateway.subscription_set import Refusal, next_set
from bse_shared.quotes.modes import Mode
from bse_shared.testing.builders import INFY, RELIANCE, TCS
from bse_shared.wire.records import SubscriptionRecord, WantedScrips


def held(*scrips, mode="ltp"):
    """A stored set."""
    wants = [WantedScrips(codes=[s.code for s in scrips], mode=mode)]
    return SubscriptionRecord(client_id="c", wants=wants, updated_at_ms=1)


def modes(found):
    """The set as codes with their modes."""
    return {code: way.mode for code, way in found.wanted.items()}


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
    assert dict.fromkeys((s.code for s in after), mode) == modes(found)
    assert [] == found.refused
    assert [s.code for s in after] == list(found.wanted)


def test_a_mode_given_is_that_of_the_scrips_named():
    """Whether new or held; the others stay as they are."""
    found = next_set(held(INFY, TCS), "add", asked(TCS, RELIANCE), Mode.FULL, 10)
    assert {INFY.code: "ltp", TCS.code: "full", RELIANCE.code: "full"} == modes(found)


def test_what_was_chosen_over_the_stream_stays():
    """Fields, a rate, every change: a request over REST touches only what it names."""
    fields = WantedScrips(codes=[INFY.code], fields=["last"], max_hz=2.0)
    every = WantedScrips(codes=[TCS.code], mode="ltp", every=True)
    before = SubscriptionRecord(client_id="c", wants=[fields, every], updated_at_ms=1)
    found = next_set(before, "add", asked(RELIANCE, INFY), None, 10)
    assert [
        fields,
        every,
        WantedScrips(codes=[RELIANCE.code], mode="quote"),
    ] == found.wants
    again = next_set(before, "remove", asked(TCS), None, 10)
    assert [fields] == again.wants


def test_scrips_wanted_alike_are_stored_together():
    """The record of a whole index stays small."""
    found = next_set(held(INFY), "add", asked(TCS), Mode.LTP, 10)
    assert [WantedScrips(codes=[INFY.code, TCS.code], mode="ltp")] == found.wants


def test_a_mode_of_a_newer_version_becomes_the_default():
    """A record that we only half understand does not stop the client."""
    before = held(TCS, mode="depth20")
    found = next_set(before, "add", asked(INFY), None, 10)
    assert {TCS.code: "depth20", INFY.code: Mode.QUOTE} == modes(found)


def test_a_full_set_refuses_by_name():
    """What did not fit is told as the client wrote it."""
    wanted = [("reliance", RELIANCE), ("532540", TCS), ("INFY", INFY)]
    found = next_set(held(INFY), "add", wanted, None, 2)
    assert [INFY.code, RELIANCE.code] == list(found.wanted)
    assert [("532540", Refusal.TOO_MANY_SYMBOLS)] == found.refused


def test_removing_what_is_not_there_is_told():
    """The client learns that its picture of the set is wrong; the held record is left alone."""
    before = held(INFY)
    found = next_set(before, "remove", asked(TCS, INFY), None, 10)
    assert ({}, [("TCS", Refusal.NOT_SUBSCRIBED)]) == (found.wanted, found.refused)
    assert [INFY.code] == before.codes
