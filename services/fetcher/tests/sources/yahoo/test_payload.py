"""Yahoo's JSON, by members retyped from a capture of February 2025, and by what can be wrong with it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.sources.errors import ExchangeError
from bse_fetcher.sources.yahoo.payload import read_quotes
from bse_shared.quotes.quote import EMPTY, Condition, Quote, Source


# Members as recorded for a NASDAQ share; symbol, currency and exchange are set as for one of BSE.
RELIANCE = {
    "language": "en-US",
    "quoteType": "EQUITY",
    "currency": "INR",
    "regularMarketChangePercent": 1.2710667,
    "regularMarketPrice": 244.6,
    "regularMarketChange": 3.0700073,
    "regularMarketDayHigh": 245.41,
    "regularMarketDayLow": 241,
    "regularMarketVolume": 40896227,
    "regularMarketPreviousClose": 241.53,
    "bid": 244.44,
    "ask": 253.37,
    "regularMarketOpen": 241.07,
    "fiftyTwoWeekLow": 164.08,
    "fiftyTwoWeekHigh": 260.1,
    "sourceInterval": 15,
    "exchangeDataDelayedBy": 0,
    "regularMarketTime": 1739566800,
    "marketState": "CLOSED",
    "exchange": "BSE",
    "symbol": "RELIANCE.BO",
}
CODES = {"RELIANCE.BO": 500325, "TCS.BO": 532540}


def body(*rows, error=None):
    """An answer with these rows."""
    return json.dumps({"quoteResponse": {"result": rows, "error": error}}).encode()


def quote_in(answer, code=500325):
    """What the answer says of a scrip, as a quote."""
    return EMPTY._replace(
        **{Quote._fields[number]: value for number, value in answer.seen[code].items()}
    )


def test_the_captured_row_is_read_to_the_paisa():
    """Bid and ask are left out: Yahoo's are nobody's."""
    answer = read_quotes(body(RELIANCE), CODES)

    assert Quote(
        last_paise=24_460,
        open_paise=24_107,
        high_paise=24_541,
        low_paise=24_100,
        previous_close_paise=24_153,
        volume=40_896_227,
        low_52_week_paise=16_408,
        high_52_week_paise=26_010,
        exchange_time_ms=1_739_566_800_000,
        source=Source.YAHOO,
        condition=Condition.GOOD,
    ) == quote_in(answer)
    assert [] == answer.rejected


@pytest.mark.parametrize("delay", [15, 1, None])
def test_what_is_delayed_or_does_not_say_is_never_live(delay):
    """A person must see that the price is old."""
    answer = read_quotes(body({**RELIANCE, "exchangeDataDelayedBy": delay}), CODES)

    assert Condition.DELAYED == quote_in(answer).condition


def test_the_noise_of_single_precision_is_taken_off():
    """Yahoo's 2901.35 may come as 2901.3500976562."""
    answer = read_quotes(
        body({**RELIANCE, "regularMarketPrice": 2901.3500976562}), CODES
    )

    assert 290_135 == quote_in(answer).last_paise


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"regularMarketPrice": None}, "no price"),
        ({"regularMarketPrice": 0}, "no price"),
        ({"regularMarketPrice": -1}, "regular_market_price -1"),
        ({"regularMarketPrice": 244.605}, "not in whole paise"),
        ({"regularMarketPrice": "244.6"}, "Expected"),
        ({"regularMarketVolume": -5}, "volume -5"),
        ({"regularMarketVolume": 1.5}, "volume 1.5"),
        ({"regularMarketTime": None}, "no time"),
        ({"regularMarketTime": 0}, "no time"),
        ({"regularMarketTime": 631_151_999}, "no time"),
        ({"regularMarketDayHigh": 240.0}, "high 24000 below low 24100"),
        ({"regularMarketTime": -1}, "time -1"),
        ({"regularMarketOpen": 1e308}, "regular_market_open"),
        ({"fiftyTwoWeekLow": -1}, "fifty_two_week_low"),
        ({"regularMarketTime": 10**13}, "time"),
        ({"currency": "USD"}, "is in 'USD'"),
        ({"symbol": "NOBODY.BO"}, "not asked for"),
        ({"symbol": "TCS.BO", "regularMarketPrice": 7}, "comes twice"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_go_through(changes, reason):
    """One row never costs another."""
    good = {**RELIANCE, "symbol": "TCS.BO"}
    answer = read_quotes(body(good, {**RELIANCE, **changes}), CODES)

    assert {532540} == set(answer.seen)
    assert 24_460 == quote_in(answer, 532540).last_paise
    (rejected,) = answer.rejected
    assert reason in rejected.reason


def test_members_that_are_gone_or_retyped_are_told():
    """By Yahoo's own names; null is no drift. A symbol that is missing is no row."""
    bare = {**RELIANCE, "regularMarketOpen": None}
    del bare["regularMarketVolume"], bare["fiftyTwoWeekHigh"]
    retyped = {**RELIANCE, "symbol": "TCS.BO", "regularMarketPrice": "244.6"}
    answer = read_quotes(body(bare, retyped, {"currency": "INR"}), CODES)

    assert {500325} == set(answer.seen)
    assert ["#1", "#2"] == [each.row for each in answer.rejected]
    assert {
        "missing:regularMarketVolume": 1,
        "missing:fiftyTwoWeekHigh": 1,
        "retyped:regularMarketPrice": 1,
        "missing:symbol": 1,
    } == answer.drift


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"<html>", "html"),
        (b"", "empty"),
        (b"null", "null"),
        (body(RELIANCE)[:-9], "truncated"),
        (b'{"quoteResponse":{"result":null,"error":"x"}}', "server_error"),
        (b'{"finance":{"result":null,"error":{"code":"Unauthorized"}}}', "shape"),
        (b"[]", "shape"),
    ],
)
def test_an_answer_that_is_none_is_one_typed_error(said, kind):
    """The kind says what it was."""
    with pytest.raises(ExchangeError) as caught:
        read_quotes(said, CODES)

    assert kind == caught.value.kind


@given(st.data())
def test_a_damaged_answer_is_an_answer_or_an_error_of_ours(data):
    """Nothing on the way ends the process."""
    good = body(RELIANCE)
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:place] + data.draw(st.binary(max_size=3)) + good[place + 1 :]
    with suppress(ExchangeError):
        read_quotes(damaged, CODES)
