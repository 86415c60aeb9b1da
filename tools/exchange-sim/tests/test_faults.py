"""Faults live as long as asked and spoil what they should."""

import json
from typing import Any

import pytest

from bse_exchange_sim.faults.book import MAX_FAULTS, FaultBook, TooManyFaultsError
from bse_exchange_sim.faults.kinds import (
    KINDS,
    FaultRequest,
    WrongFaultError,
    read_fault,
)
from bse_exchange_sim.faults.spoil import spoil
from bse_exchange_sim.seeding import rng_for


TABLE = {
    "Table": [
        {"scrip_cd": 1, "ltradert": 1234567.5, "dt_tm": "2026-09-30T00:30:00"},
        {"scrip_cd": 2, "ltradert": 2.0, "dt_tm": "2026-09-30T13:00:00"},
    ]
}
HEADER = {"CurrRate": {"LTP": "1.00"}, "Header": {"Ason": "30 Sep 26 | 13:07"}}


def book() -> FaultBook:
    return FaultBook(rng_for(1))


def spoiled(document: object, **request: Any) -> Any:
    return json.loads(spoil(FaultRequest(**request), json.dumps(document).encode()))


def test_fault_hits_its_path_a_number_of_times() -> None:
    """A fault with times=2 hits two matching requests and no others."""
    faults = book()
    faults.arm(FaultRequest("forbidden", path="getmktdata", times=2), 0.0)
    hits = [
        faults.strike(f"/BseIndiaAPI/api/{name}/w", 0.0) is not None
        for name in ("HighLow", "GetMktData", "GetMktData", "GetMktData")
    ]
    assert hits == [False, True, True, False]
    assert faults.armed(0.0) == []


def test_fault_hits_a_part_of_the_query() -> None:
    """One batch fails for a scrip in it, the others are answered."""
    faults = book()
    faults.arm(FaultRequest("server_error", path="/quote", query="BSE:TCS"), 0.0)
    hits = [
        faults.strike("/quote", 0.0, query) is not None
        for query in ("i=BSE:INFY", "i=BSE:INFY&i=bse:tcs", "")
    ]
    assert hits == [False, True, False]


def test_fault_ends_with_its_time() -> None:
    """A fault for 10 seconds is gone when they are over."""
    faults = book()
    faults.arm(FaultRequest("server_error", seconds=10), 5.0)
    assert faults.strike("/x", 14.9) is not None
    assert faults.strike("/x", 15.0) is None


def test_rate_hits_about_its_share() -> None:
    """A rate of 0.3 hits about three requests in ten."""
    faults = book()
    faults.arm(FaultRequest("server_error", rate=0.3), 0.0)
    hits = sum(faults.strike("/x", 0.0) is not None for _ in range(1_000))
    assert 230 < hits < 370


def test_oldest_fault_wins_and_can_be_removed() -> None:
    """Of two faults the first hits, until it is removed."""
    faults = book()
    first = faults.arm(FaultRequest("slow"), 0.0)
    second = faults.arm(FaultRequest("null_body"), 0.0)
    assert faults.strike("/x", 0.0) is first
    assert faults.remove(first.id)
    assert not faults.remove(first.id)
    assert faults.strike("/x", 0.0) is second
    assert faults.clear() == 1


def test_book_is_limited() -> None:
    """No more than a hundred faults can be armed at once."""
    faults = book()
    for _ in range(MAX_FAULTS):
        faults.arm(FaultRequest("slow"), 0.0)
    with pytest.raises(TooManyFaultsError):
        faults.arm(FaultRequest("slow"), 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_asked_for(kind: str) -> None:
    """The kind alone is enough of a request."""
    assert read_fault(json.dumps({"kind": kind}).encode()).kind == kind


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"kind":"explode"}',
        b'{"kind":"slow","delay":3}',
        b'{"kind":"slow","rate":0}',
        b'{"kind":"slow","times":0}',
        b'{"kind":"slow","seconds":-1}',
        b"\xff",
    ],
)
def test_wrong_request_is_refused(body: bytes) -> None:
    """What is not a fault request is refused as such."""
    with pytest.raises(WrongFaultError):
        read_fault(body)


def test_truncated_body_is_no_json() -> None:
    """The body stops in the middle."""
    body = json.dumps(TABLE).encode()
    cut = spoil(FaultRequest("truncated"), body)
    assert body.startswith(cut)
    assert len(cut) == len(body) // 2


def test_missing_field_of_one_or_all_rows() -> None:
    """The field goes from the asked row, or from all."""
    one = spoiled(TABLE, kind="missing_field", scripcode=2)["Table"]
    assert ["ltradert" in row for row in one] == [True, False]
    every = spoiled(TABLE, kind="missing_field", rows="all")["Table"]
    assert not any("ltradert" in row for row in every)
    header = spoiled(HEADER, kind="missing_field", field="LTP")
    assert header["CurrRate"] == {}


def test_changed_type_makes_text_of_a_number() -> None:
    """A number becomes a text with commas, or words."""
    commas = spoiled(TABLE, kind="changed_type")["Table"]
    assert commas[0]["ltradert"] == "12,34,567.50"
    words = spoiled(TABLE, kind="changed_type", to="text", rows="all")["Table"]
    assert {row["ltradert"] for row in words} == {"not available"}


@pytest.mark.parametrize(
    ("problem", "row"),
    [
        ("negative_price", {"scrip_cd": 2, "ltradert": -1.05}),
        ("nan_text", {"scrip_cd": 2, "ltradert": "NaN"}),
        ("zero_code", {"scrip_cd": 0, "ltradert": 2.0}),
        ("absurd_price", {"scrip_cd": 2, "ltradert": 99_999_999.95}),
        ("not_object", "row"),
    ],
)
def test_bad_row_is_only_one(problem: str, row: Any) -> None:
    """One row is bad in the asked way, the others stay."""
    good = {**TABLE, "Table": [{**each} for each in TABLE["Table"]]}
    for each in good["Table"]:
        del each["dt_tm"]
    rows = spoiled(good, kind="bad_row", problem=problem, scripcode=2)["Table"]
    assert rows == [good["Table"][0], row]


def test_bad_row_of_a_single_answer() -> None:
    """An answer of one object can be replaced altogether."""
    assert spoiled(HEADER, kind="bad_row", problem="not_object") == "row"
    assert spoiled(HEADER, kind="bad_row")["CurrRate"]["LTP"] == "-1.05"


def test_duplicate_row_comes_twice() -> None:
    """The asked row is there a second time, at the end."""
    rows = spoiled(TABLE, kind="duplicate_row", scripcode=2)["Table"]
    assert [row["scrip_cd"] for row in rows] == [1, 2, 2]


def test_clock_goes_back() -> None:
    """All time stamps are an hour earlier, also over midnight."""
    rows = spoiled(TABLE, kind="clock_back")["Table"]
    assert [row["dt_tm"] for row in rows] == [
        "2026-09-29T23:30:00",
        "2026-09-30T12:00:00",
    ]
    header = spoiled(HEADER, kind="clock_back", hours=2)
    assert header["Header"]["Ason"] == "30 Sep 26 | 11:07"


@pytest.mark.parametrize("document", ["text", [], {"Table": []}])
def test_nothing_to_spoil_stays_as_it_is(document: object) -> None:
    """An answer without rows passes unchanged."""
    assert spoiled(document, kind="bad_row") == document
