"""Every reader against mutations of what it was made for: right values, rows that are named, or one typed error."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bse_fetcher.sources.bse.index_list import read_indices
from bse_fetcher.sources.bse.intraday import read_minutes
from bse_fetcher.sources.bse.master import read_master
from bse_fetcher.sources.bse.scrip import (
    read_depth,
    read_header,
    read_range,
    read_trading,
)
from bse_fetcher.sources.errors import ExchangeError
from bse_fetcher.sources.kite.payload import read_quotes as read_kite
from bse_fetcher.sources.money import PAISE_MAX
from bse_fetcher.sources.yahoo.chart import read_chart
from bse_fetcher.sources.yahoo.payload import read_quotes as read_yahoo
from bse_shared.quotes.quote import FIELDS
from bse_shared.testing.mutations import mutated


CODES = {"INFY": 500209, "TCS": 532540}
YEAR_2200_MS = 7_258_118_400_000
FROM_1990_MS = 631_152_000_000

HEADER = {
    "CurrRate": {"LTP": "1003.95", "Chg": "-1.55"},
    "Header": {
        "PrevClose": "1005.50",
        "Open": "1002.00",
        "High": "1023.85",
        "Low": "993.15",
        "LTP": "1003.95",
        "Ason": "30 Sep 26 | 13:07",
        "GSMText": "",
    },
}
TRADING = {"WAP": "1,009.50", "TTQin": "(Lakh)", "CktLimit": "3,96,428.00/904.95"}
RANGE = {"Fifty2WkHigh_adj": "1727.85", "Fifty2WkLow_adj": "980.30", "CktFilter": None}
DEPTH = {
    **{f"{side}Price{n}": "-" for side in "BS" for n in range(2, 6)},
    **{f"{side}Qty{n}": "--" for side in "BS" for n in range(2, 6)},
    "BPrice1": "1,003.90",
    "BQty1": "1,250",
    "SPrice1": "1,004",
    "SQty1": "7",
}
INDEX = {
    "indxnm": "BSE SENSEX",
    "ltp": "78,831.32",
    "chg": "+250.32",
    "dttm": "06 Aug 26 | 13:38",
    "Prev_Close": "78,581.00",
    "I_open": "78,782.43",
    "High": "78,904.37",
    "Low": "78,633.73",
    "indxcode": "16",
}
MASTER = {
    "SCRIP_CD": "500209",
    "Scrip_Name": "Infosys Ltd",
    "GROUP": "A",
    "ISIN_NUMBER": "INE009A01021",
    "scrip_id": "INFY",
    "INDUSTRY": None,
}
POINT = {"dttm": "Wed Sep 30 2026 12:51:59", "vale1": "1008.40", "vole": "421"}
YAHOO = {
    "symbol": "INFY",
    "currency": "INR",
    "regularMarketPrice": 1003.95,
    "regularMarketOpen": 1002,
    "regularMarketDayHigh": 1023.85,
    "regularMarketDayLow": 993.15,
    "regularMarketPreviousClose": 1005.5,
    "regularMarketVolume": 396428,
    "regularMarketTime": 1790753820,
    "fiftyTwoWeekHigh": 1727.85,
    "fiftyTwoWeekLow": 980.3,
    "exchangeDataDelayedBy": 0,
    "marketState": "REGULAR",
}
KITE = {
    "last_trade_time": "2026-09-30 13:07:00",
    "last_price": 1003.95,
    "volume": 396428,
    "average_price": 1009.5,
    "lower_circuit_limit": 904.95,
    "upper_circuit_limit": 1106.05,
    "ohlc": {"open": 1002, "high": 1023.85, "low": 993.15, "close": 1005.5},
    "depth": {
        "buy": [{"price": 1003.9, "quantity": 1250, "orders": 3}],
        "sell": [{"price": 0, "quantity": 0, "orders": 0}],
    },
}
BARS = {
    "meta": {
        "symbol": "INFY",
        "currency": "INR",
        "regularMarketTime": 1_790_741_400,
    },
    "timestamp": [1_790_740_800, 1_790_740_860],
    "indicators": {
        "quote": [
            {
                "open": [1003.0, None],
                "high": [1003.5, None],
                "low": [1003.0, None],
                "close": [1003.5, None],
                "volume": [5, None],
            }
        ]
    },
}

QUOTES = {
    "header": (HEADER, lambda body: read_header(body, 500209)),
    "trading": (TRADING, lambda body: read_trading(body, 500209)),
    "range": (RANGE, lambda body: read_range(body, 500209)),
    "depth": (DEPTH, lambda body: read_depth(body, 500209)),
    "yahoo": (
        {
            "quoteResponse": {
                "result": [YAHOO, {**YAHOO, "symbol": "TCS"}],
                "error": None,
            }
        },
        lambda body: read_yahoo(body, CODES),
    ),
    "kite": (
        {"status": "success", "data": {"INFY": KITE, "TCS": KITE}},
        lambda body: read_kite(body, CODES),
    ),
}


def is_sane(name, value):
    """Whether a quote can have this value."""
    if value is None:
        return True
    if name in {"bids", "asks"}:
        return all(0 < p <= PAISE_MAX and 0 <= q < 2**53 for p, q in value)
    if type(value) is not int:
        return False
    if name.endswith("_paise") and name != "turnover_paise":
        return 0 < value <= PAISE_MAX
    if name == "exchange_time_ms":
        return FROM_1990_MS <= value < YEAR_2200_MS * 20
    return 0 <= value < 2**53


def assert_sane(answer):
    """Every value is one that a quote can have, and no scrip is taken and rejected."""
    for code, fields in answer.seen.items():
        assert code in CODES.values()
        for number, value in fields.items():
            name = FIELDS[number].name
            assert is_sane(name, value), (name, value)
        high = fields.get(next(f.number for f in FIELDS if f.name == "high_paise"))
        low = fields.get(next(f.number for f in FIELDS if f.name == "low_paise"))
        assert high is None or low is None or low <= high
    for row in answer.rejected:
        assert row.row
        assert row.reason


@pytest.mark.parametrize("kind", QUOTES)
@settings(max_examples=300)
@given(data=st.data())
def test_a_mutated_answer_about_prices_is_sane_or_a_typed_error(kind, data):
    """Whatever BSE, Yahoo or a broker make of their answers."""
    document, read = QUOTES[kind]
    with suppress(ExchangeError):
        assert_sane(read(data.draw(mutated(document))))


@pytest.mark.parametrize("kind", QUOTES)
def test_what_is_not_mutated_is_read_without_a_word(kind):
    """The documents above are those that are waited for."""
    document, read = QUOTES[kind]
    answer = read(json.dumps(document).encode())

    assert answer.seen
    assert ([], {}) == (answer.rejected, answer.drift)
    assert_sane(answer)


@settings(max_examples=300)
@given(mutated([INDEX, {**INDEX, "indxnm": "BSE 100"}]))
def test_mutated_indices_are_sane_or_a_typed_error(body):
    """Names, values and numbers in their bounds."""
    with suppress(ExchangeError):
        answer = read_indices(body, 7)
        for name, index in answer.indices.items():
            assert name == index.name != ""
            assert 0 < index.last <= PAISE_MAX
            assert 0 <= index.code < 10**9


@settings(max_examples=300)
@given(mutated([MASTER, {**MASTER, "SCRIP_CD": "532540", "scrip_id": "TCS"}]))
def test_a_mutated_master_is_sane_or_a_typed_error(body):
    """Each scrip once, each with a code and a symbol."""
    with suppress(ExchangeError):
        answer = read_master(body)
        codes = [each.code for each in answer.instruments]
        assert len(codes) == len(set(codes))
        assert all(each.code > 0 and each.symbol for each in answer.instruments)


@settings(max_examples=300)
@given(st.data())
def test_mutated_minutes_are_sane_or_a_typed_error(data):
    """Outside and inside of the JSON in JSON; each minute once, by time."""
    points = data.draw(
        mutated([POINT, {**POINT, "dttm": "Wed Sep 30 2026 12:50:58"}])
    ).decode()
    outer = {"CurrDate": "Wed Sep 30 2026 12:51:59", "Data": points}
    body = data.draw(st.just(json.dumps(outer).encode()) | mutated(outer))
    with suppress(ExchangeError):
        assert_minutes(read_minutes(body))


@settings(max_examples=300)
@given(mutated({"chart": {"result": [BARS], "error": None}}))
def test_a_mutated_chart_is_sane_or_a_typed_error(body):
    """Bars that can be, each minute once, by time."""
    with suppress(ExchangeError):
        assert_minutes(read_chart(body, "INFY"))


def assert_minutes(candles):
    """Whole minutes by time, of prices that can be."""
    starts = [each.start_ms for each in candles]
    assert starts == sorted(set(starts))
    for each in candles:
        assert each.start_ms % 60_000 == 0
        assert 0 < each.low_paise <= each.open_paise <= each.high_paise <= PAISE_MAX
        assert each.low_paise <= each.close_paise <= each.high_paise
        assert 0 <= each.volume < 2**53
