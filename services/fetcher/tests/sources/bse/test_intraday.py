"""BSE's minutes, by a point retyped from a capture of 30 September 2026."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.sources.bse.intraday import read_minutes
from bse_fetcher.sources.errors import MalformedAnswer
from bse_shared.quotes.candles import Candle, CandleFlag


POINT = {"dttm": "Wed Sep 30 2026 12:51:59", "vale1": "1008.40", "vole": "421"}
EARLIER = {"dttm": "Wed Sep 30 2026 12:50:58", "vale1": "1,008.05", "vole": "0"}
MINUTE_MS = 1_790_752_860_000  # 12:51 IST


def body(*points, **outer):
    """An answer with these points."""
    data = {"CurrDate": "Wed Sep 30 2026 12:51:59", "Scripname": "INFY"}
    return json.dumps({**data, "Data": json.dumps(points), **outer}).encode()


def flat(start_ms, price, volume):
    """A candle made of one point."""
    return Candle(start_ms, price, price, price, price, volume, CandleFlag.FILLED)


@pytest.mark.parametrize("wrap", [bytes, lambda b: json.dumps(b.decode()).encode()])
def test_the_captured_minutes_are_read_by_time(wrap):
    """Also where the whole body is a JSON string."""
    assert [
        flat(MINUTE_MS - 60_000, 100_805, 0),
        flat(MINUTE_MS, 100_840, 421),
    ] == read_minutes(wrap(body(POINT, EARLIER)))


@pytest.mark.parametrize(
    "changes", [{"vale1": "-"}, {"vole": "-1"}, {"dttm": "soon"}, {"vale1": "1.005"}]
)
def test_a_point_that_can_not_be_is_left_out(changes):
    """The others stay."""
    assert 1 == len(read_minutes(body({**POINT, **changes}, EARLIER)))


@pytest.mark.parametrize("odd", [None, 7, {}, {"dttm": 7}, {**POINT, "vole": []}])
def test_a_point_of_another_shape_costs_no_other(odd):
    """Numbers as numbers are read."""
    typed = {**EARLIER, "vale1": 1008.05, "vole": 0}

    assert [flat(MINUTE_MS - 60_000, 100_805, 0)] == read_minutes(body(odd, typed))


def test_of_two_points_of_a_minute_the_newer_counts():
    """It stands first; a minute comes once."""
    older = {**POINT, "dttm": "Wed Sep 30 2026 12:51:07", "vale1": "1.00"}

    assert [flat(MINUTE_MS, 100_840, 421)] == read_minutes(body(POINT, older))


def test_points_of_which_none_can_be_are_no_empty_day():
    """BSE writes them in another way then: the next source is to be asked."""
    with pytest.raises(MalformedAnswer):
        read_minutes(body({**POINT, "dttm": "9/30/2026 12:51:59 PM"}))


def test_a_day_without_trades_has_no_minutes():
    """An unknown scrip looks the same."""
    assert [] == read_minutes(body())
    assert [] == read_minutes(body(Data=""))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'{"Data":"["}',
        b'{"Data":"\\ud800"}',
        b'"\\ud800"',
    ],
)
def test_an_answer_that_is_none_is_one_typed_error(said):
    """Nothing is filled then."""
    with pytest.raises(MalformedAnswer):
        read_minutes(said)


@given(st.data())
def test_a_damaged_answer_is_an_answer_or_malformed(data):
    """Nothing on the way ends the process."""
    good = body(POINT, EARLIER)
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:place] + data.draw(st.binary(max_size=3)) + good[place + 1 :]
    with suppress(MalformedAnswer):
        read_minutes(damaged)
