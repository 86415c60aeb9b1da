"""BSE's answers about one scrip, by members retyped from captures of September 2026."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_fetcher.sources.bse.scrip import (
    read_depth,
    read_header,
    read_range,
    read_trading,
)
from bse_fetcher.sources.errors import MalformedAnswer
from bse_shared.quotes.quote import EMPTY, Condition, Quote, Source


CODE = 500209
HEADER = {
    "CurrRate": {"LTP": "1003.95", "Chg": "-1.55", "PcChg": "-0.15"},
    "Cmpname": {"FullN": "Infosys Ltd", "ShortN": "infy"},
    "Header": {
        "PrevClose": "1005.50",
        "Open": "1002.00",
        "High": "1023.85",
        "Low": "993.15",
        "LTP": "1003.95",
        "Ason": "30 Sep 26 | 13:07",
        "PRE_OPEN_I_PRICE": None,
    },
    "CompResp": {"compRes": None},
}
UNKNOWN = {
    "CurrRate": {"LTP": "-", "Chg": "-", "PcChg": "-"},
    "Header": {"PrevClose": None, "Open": None, "LTP": None, "Ason": "-"},
}
TRADING = {
    "WAP": "1,009.50",
    "Turnoverin": "(Cr.)",
    "Turnover": "40.01",
    "TTQin": "(Lakh)",
    "TTQ": "3.96",
    "CktLimit": "3,96,428.00/904.95",
}
RANGE = {
    "Fifty2WkHigh_adj": "1727.85",
    "Fifty2WkHigh_adjDt": " (03/02/2026)",
    "Fifty2WkLow_adj": "980.30",
    "CktFilter": None,
}
# No body of the depth was recorded: its members are known by name only.
DEPTH = {
    **{f"{side}Price{n}": "-" for side in "BS" for n in range(1, 6)},
    **{f"{side}Qty{n}": "--" for side in "BS" for n in range(1, 6)},
    "BPrice1": "1,003.90",
    "BQty1": "1,250",
    "BPrice2": "1,003.85",
    "BQty2": "7",
    "TotalBQty": "1,257",
    "dttm": "30 Sep 26 | 13:07",
}
READERS = [read_header, read_trading, read_range, read_depth]


def quote_of(answer):
    """What the answer says, as a quote."""
    values = answer.seen[CODE].items()
    return EMPTY._replace(**{Quote._fields[number]: value for number, value in values})


def body(document):
    """The document as BSE sends it."""
    return json.dumps(document).encode()


def test_the_captured_header_is_read():
    """To the paisa and to the minute, in India's time; no volume."""
    assert Quote(
        last_paise=100_395,
        open_paise=100_200,
        high_paise=102_385,
        low_paise=99_315,
        previous_close_paise=100_550,
        exchange_time_ms=1_790_753_820_000,  # 13:07 IST
        source=Source.BSE,
        condition=Condition.GOOD,
    ) == quote_of(read_header(body(HEADER), CODE))


@pytest.mark.parametrize(
    "header",
    [
        UNKNOWN,
        {"Header": {"LTP": "0.00"}},
        {"Header": {"LTP": "-1.00"}},
        {"Header": {"LTP": "1003.95", "Ason": "soon"}},
        {"Header": {"LTP": "1003.95", "Ason": 7}},
        {"Header": {"LTP": "1003.955"}},
        {"Header": {"LTP": ["1003.95"]}},
        {"Header": {"LTP": "1439,65"}},
        {"Header": {"LTP": "10.00", "High": "9.00", "Low": "11.00"}},
        {"Header": {}},
    ],
)
def test_a_scrip_that_is_unknown_or_absurd_is_named(header):
    """It answers 200 with dashes."""
    answer = read_header(body(header), CODE)

    assert {} == answer.seen
    assert [str(CODE)] == [each.row for each in answer.rejected]


def test_members_that_are_gone_or_retyped_are_told():
    """What is gone tells nothing: the value that is held must not be lost; a dash tells that there is none."""
    answer = read_header(
        body({"Header": {"LTP": 1003.95, "Open": "-", "High": None, "Ason": ""}}), CODE
    )

    assert {
        "last_paise": 100_395,
        "open_paise": None,
        "high_paise": None,
        "exchange_time_ms": None,
        "source": Source.BSE,
        "condition": Condition.GOOD,
    } == {Quote._fields[n]: value for n, value in answer.seen[CODE].items()}
    assert {
        "retyped:LTP": 1,
        "missing:Low": 1,
        "missing:PrevClose": 1,
    } == answer.drift


@pytest.mark.parametrize(
    ("read", "gone"),
    [
        (read_trading, {"missing:WAP": 1, "missing:CktLimit": 1}),
        (read_range, {"missing:Fifty2WkHigh_adj": 1, "missing:Fifty2WkLow_adj": 1}),
    ],
)
def test_details_that_are_gone_change_nothing(read, gone):
    """And are told; a member that nobody knows is no matter."""
    answer = read(body({"New": [1]}), CODE)

    assert ({CODE: {}}, gone, []) == (answer.seen, answer.drift, answer.rejected)


def test_a_book_of_numbers_is_read_and_told():
    """So is one with a member that nobody knows."""
    answer = read_depth(body({**DEPTH, "BPrice1": 1003.9, "New": {"a": 1}}), CODE)

    assert 100_390 == quote_of(answer).bid_paise
    assert {"retyped:BPrice1": 1} == answer.drift


@pytest.mark.parametrize(
    "level",
    [
        {"BPrice1": "-", "BQty1": "5"},
        {"BPrice1": "0.00", "BQty1": "5"},
        {"BQty1": "0"},
        {"BQty1": "--"},
        {"BQty1": ""},
        {"BPrice1": None},
    ],
)
def test_an_empty_level_is_no_bid(level):
    """The next one is the best then."""
    assert 100_385 == quote_of(read_depth(body({**DEPTH, **level}), CODE)).bid_paise


@pytest.mark.parametrize(
    ("said", "time_ms"),
    [
        ("29 Jul 20 | 16:00", 1_596_018_600_000),
        (" 06 Aug 26 | 13:38 ", 1_786_003_680_000),
        ("-", None),
        (None, None),
        ("01 Jan 70 | 00:00", None),
    ],
)
def test_a_time_is_indias_to_the_minute(said, time_ms):
    """A dead scrip tells its last trade, however old; "never" is no time."""
    answer = read_header(body({"Header": {"LTP": "1.00", "Ason": said}}), CODE)

    assert time_ms == quote_of(answer).exchange_time_ms


def test_the_captured_trading_figures_are_read():
    """The upper half of the limits is the traded quantity: it is not taken."""
    assert EMPTY._replace(
        average_price_paise=100_950, lower_circuit_paise=90_495
    ) == quote_of(read_trading(body(TRADING), CODE))


def test_the_captured_range_is_read():
    """Adjusted for splits."""
    assert EMPTY._replace(
        high_52_week_paise=172_785, low_52_week_paise=98_030
    ) == quote_of(read_range(body(RANGE), CODE))


def test_the_book_is_read_with_its_empty_levels():
    """Two bids and no ask."""
    assert EMPTY._replace(
        bids=((100_390, 1250), (100_385, 7)),
        asks=(),
        bid_paise=100_390,
        bid_quantity=1250,
    ) == quote_of(read_depth(body(DEPTH), CODE))


def test_a_closed_market_has_no_book():
    """The body is null; what is known stays."""
    answer = read_depth(b"null", CODE)

    assert ({}, []) == (answer.seen, answer.rejected)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("said", [b"<html>", b"", b"[]", b'{"Header":7}', b"\xff"])
def test_what_is_no_answer_is_one_typed_error(read, said):
    """Or nothing is known of the scrip."""
    with suppress(MalformedAnswer):
        fields = read(said, CODE).seen.get(CODE, {})
        assert not any(fields.values())


@pytest.mark.parametrize(
    ("read", "document"),
    list(zip(READERS, [HEADER, TRADING, RANGE, DEPTH], strict=True)),
)
@given(data=st.data())
def test_a_damaged_answer_is_an_answer_or_malformed(read, document, data):
    """Nothing on the way ends the process."""
    good = body(document)
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:place] + data.draw(st.binary(max_size=3)) + good[place + 1 :]
    with suppress(MalformedAnswer):
        read(damaged, CODE)
