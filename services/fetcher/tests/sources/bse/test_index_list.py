"""BSE's index rows, by members retyped from a capture of 6 August 2026."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.sources.bse.index_list import read_indices
from bse_fetcher.sources.errors import MalformedAnswer
from bse_shared.wire.records import IndexRecord


SENSEX = {
    "indxnm": "BSE SENSEX",
    "ltp": "78,831.32",
    "chg": "+250.32",
    "perchg": "+0.32",
    "F": "0",
    "dttm": "06 Aug 26 | 13:38",
    "Prev_Close": "78,581.00",
    "I_open": "78,782.43",
    "High": "78,904.37",
    "Low": "78,633.73",
    "iclsprice": "78,845.12",
    "indxcode": "16",
}


def body(*rows):
    """An answer with these rows."""
    return json.dumps(rows).encode()


def test_the_captured_row_is_read_to_the_hundredth():
    """Under the name that the master uses."""
    indices, rejected = read_indices(body(SENSEX), 77)

    assert [] == rejected
    assert {
        "SENSEX": IndexRecord(
            name="SENSEX",
            code=16,
            last=7_883_132,
            open=7_878_243,
            high=7_890_437,
            low=7_863_373,
            previous_close=7_858_100,
            exchange_time_ms=1_786_003_680_000,  # 13:38 IST
            received_at_ms=77,
        )
    } == indices


@pytest.mark.parametrize(
    "changes", [{"ltp": "-"}, {"ltp": 7}, {"indxnm": " "}, {"dttm": "soon"}]
)
def test_a_bad_row_is_named_and_the_good_ones_go_through(changes):
    """One index never costs another."""
    other = {**SENSEX, "indxnm": "BSE 100", **changes}
    indices, rejected = read_indices(body(other, SENSEX), 0)

    assert (["SENSEX"], 1) == (list(indices), len(rejected))


@pytest.mark.parametrize("said", [b"", b"<html>", b"null", b"{}", b"[]", b"[7]"])
def test_an_answer_that_is_none_is_one_typed_error(said):
    """What is known of the indices stays."""
    with pytest.raises(MalformedAnswer):
        read_indices(said, 0)


@given(st.data())
def test_a_damaged_answer_is_an_answer_or_malformed(data):
    """Nothing on the way ends the process."""
    good = body(SENSEX, SENSEX)
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:place] + data.draw(st.binary(max_size=3)) + good[place + 1 :]
    with suppress(MalformedAnswer):
        read_indices(damaged, 0)
