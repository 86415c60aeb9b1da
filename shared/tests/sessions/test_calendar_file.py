"""Files of the wrong shape are refused with the place and the problem."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bse_shared.sessions.calendar import CalendarError, parse_calendar
from bse_shared.sessions.calendar_file import MAX_FILE_BYTES


@pytest.mark.parametrize(
    ("key", "value", "where", "problem"),
    [
        ("schema", 2, "schema", "2"),
        ("holiday", [], "", "unknown field `holiday`"),
        ("weekend", ["Caturday"], "weekend[0]", "Caturday"),
        ("weekend", None, "weekend", "Expected `array`"),
        ("covers_until", "2030-02-30", "covers_until", "Invalid RFC3339"),
        ("as_of", 20300101, "as_of", "date"),
        ("holidays", [{"date": "2030-1-3", "name": "R"}], "holidays[0].date", "RFC"),
        ("holidays", [{"date": "2030-01-03"}], "holidays[0]", "field `name`"),
        ("holidays", [{"date": "2030-01-03", "name": ""}], "holidays[0].name", "1"),
        ("holidays", [["2030-01-03", "R"]], "holidays[0]", "Expected `object`"),
        (
            "special_sessions",
            [{"date": "2030-01-05", "name": "T"}],
            "special_sessions[0]",
            "required field `phases`",
        ),
        (
            "special_sessions",
            [{"date": "2030-01-05", "name": "T", "phases": "half_day"}],
            "special_sessions[0].phases",
            "half_day",
        ),
    ],
)
def test_wrong_shape(facts, key, value, where, problem):
    """A wrong key or value is named with its place in the file."""
    facts[key] = value
    with pytest.raises(CalendarError) as caught:
        parse_calendar(json.dumps(facts).encode())
    assert caught.value.where.replace("[...]", "[0]") == where
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    "row",
    [
        ["lunch", "09:00", "10:00"],
        ["closed", "09:00", "10:00"],
        ["open", "9:00", "10:00"],
        ["open", "09:00", "24:00"],
        ["open", "09:00", "10:60"],
        ["open", "09:00", "10:00\n"],
        ["open", "09:00", "１０:００"],
        ["open", "09:00"],
        ["open", 540, 600],
    ],
)
def test_wrong_phase_row(facts, row):
    """A phase row takes a known name and two times of the day, nothing else."""
    facts["regimes"][0]["phases"] = [row]
    with pytest.raises(CalendarError, match=r"regimes\[.*\]\.phases\[") as caught:
        parse_calendar(facts)
    assert caught.value.problem


@pytest.mark.parametrize(
    "key", ["schema", "covers_until", "weekend", "holidays", "regimes"]
)
def test_missing_key(facts, key):
    """A missing key is named."""
    del facts[key]
    with pytest.raises(CalendarError, match=f"required field `{key}`"):
        parse_calendar(facts)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 60_000, b"not json"]
)
def test_not_json(data):
    """Bytes that are not JSON are refused as a calendar."""
    with pytest.raises(CalendarError, match="calendar: "):
        parse_calendar(data)


def test_too_large(facts):
    """A file above the limit is refused before it is decoded."""
    padded = json.dumps(facts).encode().ljust(MAX_FILE_BYTES)
    assert parse_calendar(padded)
    with pytest.raises(CalendarError, match="larger than 65536 bytes"):
        parse_calendar(padded + b" ")


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
json_values = (
    scalars
    | st.lists(scalars, max_size=3)
    | st.lists(st.dictionaries(st.text(max_size=8), scalars, max_size=3), max_size=2)
)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_spoiled_value_is_a_calendar_error(data):
    """Whatever stands at a key, the answer is a calendar or a CalendarError."""
    facts = {
        "schema": 1,
        "market": "m",
        "as_of": "2030-01-01",
        "covers_from": "2030-01-01",
        "covers_until": "2030-01-31",
        "weekend": [],
        "holidays": [],
        "special_sessions": [],
        "regimes": [
            {
                "name": "r",
                "starts_on": "2030-01-01",
                "phases": [["open", "09:15", "15:30"]],
            }
        ],
    }
    facts[data.draw(st.sampled_from(sorted(facts)))] = data.draw(json_values)
    for form in (facts, json.dumps(facts).encode()):
        try:
            parse_calendar(form)
        except CalendarError as error:
            assert error.problem  # noqa: PT017 - valid draws raise nothing


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_calendar_error(data):
    """No bytes make the reader fail in another way."""
    with pytest.raises(CalendarError):
        parse_calendar(data)
