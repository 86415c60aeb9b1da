"""`ListofScripData`, by facts retyped from captures and by what can be wrong with it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.sources.bse.master import read_master
from bse_fetcher.sources.errors import MalformedAnswer


# Recorded in September 2026.
INFY = {
    "SCRIP_CD": "500209",
    "Scrip_Name": "Infosys Ltd",
    "Status": "Active",
    "GROUP": "A",
    "FACE_VALUE": "5.00",
    "ISIN_NUMBER": "INE009A01021",
    "INDUSTRY": None,
    "scrip_id": "INFY",
    "Segment": "Equity",
    "Mktcap": "407430.68",
}


def test_the_captured_master_row_is_read():
    """Code, symbol, ISIN, name and group of a listing."""
    answer = read_master(json.dumps([INFY]).encode())

    assert [
        (500209, "INFY", "INE009A01021", "Infosys Ltd", "A", "")
    ] == answer.instruments
    assert [] == answer.rejected


def test_what_the_master_does_not_say_is_empty():
    """Null and missing members are no reason to miss a scrip."""
    bare = {"SCRIP_CD": 500209, "scrip_id": " infy ", "ISIN_NUMBER": None}

    assert [(500209, "INFY", "", "", "", "")] == (
        read_master(json.dumps([bare]).encode()).instruments
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("row", "Expected `object`"),
        (None, "Expected `object`"),
        ({**INFY, "SCRIP_CD": None}, "scrip code None"),
        ({**INFY, "SCRIP_CD": "0"}, "scrip code '0'"),
        ({**INFY, "SCRIP_CD": "\u00b2"}, "scrip code"),
        ({**INFY, "SCRIP_CD": "5" * 5000}, "scrip code '555"),
        ({**INFY, "SCRIP_CD": "INFY"}, "scrip code 'INFY'"),
        ({**INFY, "scrip_id": None}, "no scrip_id"),
        ({**INFY, "scrip_id": 7}, "no scrip_id"),
        ({**INFY, "scrip_id": " "}, "no scrip_id"),
        (INFY, "500209 twice"),
        ({"scrip_id": "INFY"}, "scrip code None"),
    ],
)
def test_a_bad_master_row_is_named_and_the_good_ones_go_through(bad, reason):
    """One listing never costs the list."""
    tcs = {**INFY, "SCRIP_CD": "532540", "scrip_id": "TCS"}
    answer = read_master(json.dumps([INFY, bad, tcs]).encode())

    assert ["INFY", "TCS"] == [each.symbol for each in answer.instruments]
    (rejected,) = answer.rejected
    assert "#1" == rejected.row
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("TANFAC Industries Ltd-$", "TANFAC Industries Ltd"),
        ("Enbee Trade &amp; Finance Ltd", "Enbee Trade & Finance Ltd"),
        ("Mahindra & Mahindra Ltd", "Mahindra & Mahindra Ltd"),
        (" - ", ""),
    ],
)
def test_a_name_is_what_people_read(written, name):
    """The flag at its end is no part of it, nor are HTML's entities, nor is a dash."""
    answer = read_master(json.dumps([{**INFY, "Scrip_Name": written}]).encode())

    assert [name] == [each.name for each in answer.instruments]


def test_names_that_are_gone_or_retyped_are_told():
    """A scrip is not missed for its name, and an operator hears of it."""
    changed = {**INFY, "Scrip_Name": 5}
    del changed["ISIN_NUMBER"]
    answer = read_master(json.dumps([changed]).encode())

    assert [(500209, "INFY", "", "", "A", "")] == answer.instruments
    assert {"retyped:Scrip_Name": 1, "missing:ISIN_NUMBER": 1} == answer.drift


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "html"),
        (b"null", "null"),
        (b"", "empty"),
        (b"[]", "empty"),
        (b'["row"]', "empty"),
        (json.dumps([INFY]).encode()[:-9], "truncated"),
        (b"{}", "shape"),
        (b"[" * 100_000, "shape"),
    ],
)
def test_an_answer_that_is_no_master_is_one_typed_error(body, kind):
    """An empty list is no list: the market does not delist itself."""
    with pytest.raises(MalformedAnswer) as caught:
        read_master(body)

    assert kind == caught.value.kind


@given(st.binary(max_size=200))
def test_random_bytes_are_a_master_or_malformed(body):
    """The reader knows no other error."""
    with suppress(MalformedAnswer):
        read_master(body)


@given(st.data())
def test_a_good_master_with_a_byte_changed_is_a_master_or_malformed(data):
    """Damage on the way never ends the process."""
    body = json.dumps([INFY, INFY]).encode()
    place = data.draw(st.integers(0, len(body) - 1))
    damaged = body[:place] + data.draw(st.binary(max_size=3)) + body[place + 1 :]
    with suppress(MalformedAnswer):
        read_master(damaged)
