"""The broker's JSON, by members retyped from its recorded sample of June 2021, and by what can be wrong with it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.sources.errors import ExchangeError
from bse_fetcher.sources.kite.payload import read_quotes
from bse_shared.quotes.quote import EMPTY, Condition, Quote, Source


NONE = {"price": 0, "quantity": 0, "orders": 0}
INFY = {
    "instrument_token": 408065,
    "timestamp": "2021-06-08 15:45:56",
    "last_trade_time": "2021-06-08 15:45:52",
    "last_price": 1412.95,
    "last_quantity": 5,
    "buy_quantity": 0,
    "sell_quantity": 5191,
    "volume": 7360198,
    "average_price": 1412.47,
    "oi": 0,
    "net_change": 0,
    "lower_circuit_limit": 1250.7,
    "upper_circuit_limit": 1528.6,
    "ohlc": {"open": 1396, "high": 1421.75, "low": 1395.55, "close": 1389.65},
    "depth": {
        "buy": [NONE] * 5,
        "sell": [{"price": 1412.95, "quantity": 5191, "orders": 13}, *[NONE] * 4],
    },
}
CODES = {"BSE:INFY": 500209, "BSE:TCS": 532540}


def body(rows, status="success", **more):
    """An answer with these rows by key."""
    return json.dumps({"status": status, "data": rows, **more}).encode()


def quote_in(answer, code=500209):
    """What the answer says of a scrip, as a quote."""
    return EMPTY._replace(
        **{Quote._fields[number]: value for number, value in answer.seen[code].items()}
    )


def test_the_captured_row_is_read_to_the_paisa():
    """IST times, an empty side of the book, the day's figures and the circuit limits."""
    answer = read_quotes(body({"BSE:INFY": INFY}), CODES)

    assert Quote(
        last_paise=141_295,
        open_paise=139_600,
        high_paise=142_175,
        low_paise=139_555,
        previous_close_paise=138_965,
        volume=7_360_198,
        average_price_paise=141_247,
        bids=(),
        asks=((141_295, 5191),),
        ask_paise=141_295,
        ask_quantity=5191,
        lower_circuit_paise=125_070,
        upper_circuit_paise=152_860,
        exchange_time_ms=1_623_147_352_000,  # 15:45:52 IST
        source=Source.BROKER,
        condition=Condition.GOOD,
    ) == quote_in(answer)
    assert [] == answer.rejected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"last_price": 0}, "no last price"),
        ({"last_price": None}, "Expected"),
        ({"last_price": "1412.95"}, "Expected"),
        ({"last_price": -1}, "last_price -1"),
        ({"last_price": 1412.955}, "not in whole paise"),
        ({"volume": -1}, "count -1"),
        ({"last_trade_time": "yesterday"}, "yesterday"),
        ({"ohlc": {"open": 1, "high": 1, "low": 2, "close": 1}}, "high 100 below"),
        ({"depth": {"buy": [{"price": 1, "quantity": -1}], "sell": []}}, "count -1"),
        ({"depth": {"buy": [{"price": 1e308, "quantity": 1}], "sell": []}}, "level"),
        ({"depth": {"buy": [{"price": -1, "quantity": 1}], "sell": []}}, "level"),
        ({"depth": {"buy": [{"price": 1.005, "quantity": 1}], "sell": []}}, "level"),
        ({"ohlc": {"open": 1e308, "high": 1, "low": 1, "close": 1}}, "day"),
        ({"ohlc": {"open": 1, "high": 1, "low": 1, "close": -1}}, "day"),
        ({"ohlc": {"open": 1, "high": 1.005, "low": 1, "close": 1}}, "day"),
        ({"average_price": 1e308}, "average"),
        ({"average_price": -0.5}, "average"),
        ({"lower_circuit_limit": -1}, "lower limit"),
        ({"upper_circuit_limit": 1.005}, "upper limit"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_go_through(changes, reason):
    """One row never costs another."""
    rows = {"BSE:INFY": {**INFY, **changes}, "BSE:TCS": INFY}
    answer = read_quotes(body(rows), CODES)

    assert {532540} == set(answer.seen)
    (rejected,) = answer.rejected
    assert "BSE:INFY" in rejected.row
    assert reason in rejected.reason


def test_members_that_are_gone_or_retyped_are_told():
    """A scrip that nobody ever traded says null: that is no drift."""
    gone = {**INFY, "volume": "7360198"}
    bare = {"last_price": 7, "last_trade_time": None}
    answer = read_quotes(body({"BSE:INFY": gone, "BSE:TCS": bare}), CODES)

    assert {532540} == set(answer.seen)
    assert {
        "retyped:volume": 1,
        "missing:volume": 1,
        "missing:average_price": 1,
        "missing:lower_circuit_limit": 1,
        "missing:upper_circuit_limit": 1,
        "missing:ohlc": 1,
        "missing:depth": 1,
    } == answer.drift


def test_a_scrip_that_is_missing_in_the_answer_is_no_row():
    """Nothing is said of it: it stays as it is, and grows old."""
    answer = read_quotes(body({"BSE:TCS": INFY}), CODES)

    assert ({532540}, []) == (set(answer.seen), answer.rejected)


def test_what_was_not_asked_for_is_left_out():
    """A mistaken key must not become another scrip's price."""
    answer = read_quotes(body({"NSE:INFY": INFY}), CODES)

    assert {} == answer.seen
    assert 1 == len(answer.rejected)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"<html>", "html"),
        (b"", "empty"),
        (body({"BSE:INFY": INFY})[:-9], "truncated"),
        (body(None, "error", message="Too many requests"), "server_error"),
        (body({}, "error", message="Token is invalid"), "server_error"),
        (body({"BSE:INFY": INFY}, "error"), "server_error"),
        (b'{"status":"success"}', "server_error"),
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
    good = body({"BSE:INFY": INFY})
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:place] + data.draw(st.binary(max_size=3)) + good[place + 1 :]
    with suppress(ExchangeError):
        read_quotes(damaged, CODES)
