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
    answer = read_indices(body(SENSEX), 77)

    assert ([], {}) == (answer.rejected, answer.drift)
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
    } == answer.indices


@pytest.mark.parametrize(
    "changes",
    [
        {"ltp": "-"},
        {"ltp": None},
        {"ltp": ["7"]},
        {"indxnm": " "},
        {"indxnm": 5},
        {"dttm": "soon"},
        {"High": "78,000.00"},
        {"indxnm": "SENSEX"},
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_go_through(changes):
    """One index never costs another."""
    other = {**SENSEX, "indxnm": "BSE 100", **changes}
    answer = read_indices(body(SENSEX, other), 0)

    assert ["SENSEX"] == list(answer.indices)
    assert 7_883_132 == answer.indices["SENSEX"].last
    assert ["#1"] == [each.row for each in answer.rejected]


@pytest.mark.parametrize(
    ("code", "number"),
    [("16", 16), (17, 17), ("9" * 5000, 0), ("x", 0), (None, 0), (True, 0)],
)
def test_an_index_without_a_number_is_one_all_the_same(code, number):
    """Its name is what it is known by; a number of thousands of digits is none."""
    answer = read_indices(body({**SENSEX, "indxcode": code}), 0)

    assert number == answer.indices["SENSEX"].code


def test_members_that_are_gone_or_retyped_are_told():
    """The index goes on with what is left; nothing that is gone looks like a value."""
    changed = {**SENSEX, "ltp": 78831.32, "High": None}
    del changed["Low"], changed["dttm"]
    answer = read_indices(body(changed), 0)

    found = answer.indices["SENSEX"]
    assert 7_883_132 == found.last
    assert (None, None, None) == (found.high, found.low, found.exchange_time_ms)
    assert {"retyped:ltp": 1, "missing:Low": 1, "missing:dttm": 1} == answer.drift


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
