"""A set survives being stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.wire.records import SubscriptionRecord, WantedScrips, from_json, to_json
from bse_ws_hub.hub.stored_wants import stored_wants, wants_of
from bse_ws_hub.hub.wants import Want, interval_of


EVERYTHING = range(1_000_000)
wants = st.builds(
    Want,
    st.sampled_from([MODE_MASKS[mode] for mode in Mode])
    | st.integers(1, MODE_MASKS[Mode.FULL]),
    st.none().map(interval_of) | st.floats(0.5, 40).map(interval_of),
    st.just(False),
) | st.builds(Want, st.just(1), st.just(0), st.just(True))


@given(st.dictionaries(st.integers(0, 999_999), wants, max_size=20))
def test_a_set_comes_back_as_it_was(held):
    """Through the store's JSON."""
    record = SubscriptionRecord(
        client_id="c", wants=stored_wants(held), updated_at_ms=1
    )
    read = from_json(to_json(record), SubscriptionRecord)
    assert held == wants_of(read.wants, EVERYTHING)


def test_scrips_wanted_alike_stand_together():
    """The record of a whole index stays small."""
    ltp = Want(MODE_MASKS[Mode.LTP])
    assert [
        WantedScrips(codes=[1, 3], mode="ltp"),
        WantedScrips(codes=[2], fields=["last"], max_hz=2.0),
    ] == stored_wants({1: ltp, 2: Want(1, 500), 3: ltp})


@pytest.mark.parametrize(
    "wanted",
    [
        WantedScrips(codes=[1], mode="depth20"),
        WantedScrips(codes=[1], fields=["moon"]),
        WantedScrips(codes=[1], mode="ltp", max_hz=0.0),
        WantedScrips(codes=[7], mode="ltp"),
    ],
)
def test_what_is_not_understood_is_left_out(wanted):
    """A newer version wrote it, or the scrip is gone; the rest is taken."""
    known = WantedScrips(codes=[2], mode="ltp")
    assert {2: Want(MODE_MASKS[Mode.LTP])} == wants_of([wanted, known], {1, 2})
