"""Yahoo's minutes, in the shape of a chart recorded in February 2025."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.sources.errors import ExchangeError
from bse_fetcher.sources.yahoo.chart import read_chart
from bse_shared.quotes.candles import Candle, CandleFlag


SYMBOL = "INFY.BO"
OPENS_S = 1_790_740_800  # a whole minute
FILLED = int(CandleFlag.FILLED)


def chart(*bars, last_s=OPENS_S + 600, **changes):
    """An answer with these bars: second, open, high, low, close, volume."""
    names = ("open", "high", "low", "close", "volume")
    columns = list(zip(*bars, strict=True))
    result = {
        "meta": {
            "symbol": SYMBOL,
            "currency": "INR",
            "regularMarketTime": last_s,
            "gmtoffset": 19_800,
            **changes,
        },
        "indicators": {
            "quote": [dict(zip(names, columns[1:], strict=True)) if bars else {}]
        },
    }
    if bars:
        result["timestamp"] = columns[0]
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


def test_bars_are_candles():
    """Single precision's noise is no other price; a minute without a trade is no candle."""
    body = chart(
        (OPENS_S + 60, 1003.9500122, 1004.5, 1003.0, 1004.0, 250),
        (OPENS_S, 1003.0, 1003.0, 1003.0, 1003.0, 0),
        (OPENS_S + 120, None, None, None, None, None),
    )

    assert [
        Candle(OPENS_S * 1000, *[100_300] * 4, 0, FILLED),
        Candle((OPENS_S + 60) * 1000, 100_395, 100_450, 100_300, 100_400, 250, FILLED),
    ] == read_chart(body, SYMBOL)


def test_a_day_without_a_bar_has_no_minutes():
    """Then there is no `timestamp` at all; nor for a symbol that Yahoo does not know."""
    unknown = {"result": None, "error": {"code": "Not Found", "description": "x"}}

    assert [] == read_chart(chart(), SYMBOL)
    assert [] == read_chart(json.dumps({"chart": unknown}).encode(), SYMBOL)


def test_the_minute_under_way_is_left_out():
    """It would be stored as if it were whole; so would one that stands at an odd second."""
    bar = (1003.0, 1003.0, 1003.0, 1003.0, 5)
    body = chart(
        (OPENS_S, *bar),
        (OPENS_S + 60, *bar),
        (OPENS_S + 97, *bar),
        last_s=OPENS_S + 97,
    )

    assert [OPENS_S * 1000] == [c.start_ms for c in read_chart(body, SYMBOL)]


@pytest.mark.parametrize(
    "bar",
    [
        (1003.0, 1002.0, 1001.0, 1003.0, 5),
        (1003.0, 1004.0, 1003.5, 1003.0, 5),
        (-1.0, 1004.0, -1.0, 1003.0, 5),
        (0, 1004.0, 0, 1003.0, 5),
        (1003.0, 1004.0, 1003.0, 1003.0, -5),
        (1003.0, 1004.0, 1003.0, 1003.0, 0.5),
        (1003.0, 1e300, 1003.0, 1003.0, 5),
    ],
)
def test_a_bar_that_cannot_be_is_left_out(bar):
    """The others are good."""
    good = (1003.0, 1003.0, 1003.0, 1003.0, 5)
    body = chart((OPENS_S, *bar), (OPENS_S + 60, *good))

    assert 1 == len(read_chart(body, SYMBOL))


@pytest.mark.parametrize(
    "body",
    [
        chart(symbol="TCS.BO"),
        chart(currency="USD"),
        b'{"chart":{"result":null,"error":{"code":"Internal"}}}',
        b'{"chart":{"result":[],"error":null}}',
        b'{"chart":{"result":[{"meta":{}}]}}',
        b"<html>",
        b"",
        b"null",
        chart()[:40],
    ],
)
def test_what_is_no_chart_of_the_scrip_is_an_error(body):
    """Another scrip's minutes would be believed."""
    with pytest.raises(ExchangeError):
        read_chart(body, SYMBOL)


@given(st.binary(max_size=40), st.integers(0, 400))
def test_damage_is_an_error_or_fewer_minutes(noise, at):
    """Never anything else."""
    body = chart((OPENS_S, 1003.0, 1003.0, 1003.0, 1003.0, 5))
    with suppress(ExchangeError):
        assert len(read_chart(body[:at] + noise + body[at:], SYMBOL)) <= 1
