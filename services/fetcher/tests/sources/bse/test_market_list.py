"""BSE's JSON, by facts retyped from captures and by everything that can be wrong with it."""

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bse_fetcher.sources.bse.market_list import MarketReader, read_market
from bse_fetcher.sources.bse.values import NAME_MAX
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import PAISE_MAX
from bse_shared.quotes.quote import EMPTY, NUMBER, Condition, Quote, Source


# Recorded 23 Oct 2023; members that are not read are left out.
CREDITACC = {
    "RN": 1,
    "scrip_cd": 541770,
    "scripname": "CREDITACC",
    "LONG_NAME": "CreditAccess Grameen Ltd",
    "scrip_grp": "A",
    "openrate": 1439.65,
    "highrate": 1560.0,
    "lowrate": 1425.9,
    "ltradert": 1523.05,
    "prevdayclose": 1389.55,
    "change_val": 133.5,
    "change_percent": 9.61,
    "index_code": "|S&P BSE 500|,|S&P BSE SmallCap|",
    "trd_val": 1531.0,
    "trd_vol": 101527,
    "nooftrd": 5827,
    "trend": "",
    "dt_tm": "2023-10-23T13:02:34",
    "PRIORITY_FLAG": 0,
}
CREDITACC_QUOTE = Quote(
    last_paise=152_305,
    open_paise=143_965,
    high_paise=156_000,
    low_paise=142_590,
    previous_close_paise=138_955,
    volume=101_527,
    turnover_paise=15_310_000_000,
    trades=5_827,
    exchange_time_ms=1_698_046_354_000,  # 13:02:34 IST is 07:32:34 UTC
    source=Source.BSE,
    condition=Condition.GOOD,
)
GOOD = {"scrip_cd": 500325, "scripname": "RELIANCE", "ltradert": 2901.35}
FULL = {name: value for name, value in CREDITACC.items() if name not in GOOD}
FULL |= {"highrate": 3000.0}


def table(*rows):
    """An answer of `GetMktData` with these rows; a row of bytes goes in as it is."""
    written = [
        row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows
    ]
    return b'{"Table":[' + b",".join(written) + b"]}"


def row(**changes):
    """The captured row with some members changed."""
    return {**CREDITACC, **changes}


def without(*names):
    """The captured row with some members gone."""
    return {name: value for name, value in CREDITACC.items() if name not in names}


def quote_in(answer, code=541770):
    """What the answer says of a scrip, as a quote."""
    return EMPTY._replace(
        **{Quote._fields[number]: value for number, value in answer.seen[code].items()}
    )


def test_the_captured_row_is_read_to_the_paisa():
    """Numbers, units, time zone and names as BSE means them, and nothing is called drift."""
    answer = read_market(table(CREDITACC))

    assert CREDITACC_QUOTE == quote_in(answer)
    assert (
        541770,
        "CREDITACC",
        "",
        "CreditAccess Grameen Ltd",
        "A",
        "500|SMALLCAP",
    ) == (answer.instruments[541770])
    assert ([], {}) == (answer.rejected, answer.drift)


def test_strings_with_indian_commas_and_signs_are_read_and_told_as_drift():
    """BSE's other answers write numbers as text; the values are the same, an operator hears of it."""
    answer = read_market(
        table(
            row(
                scrip_cd="541770",
                ltradert=" +1,523.05 ",
                openrate="1439.65",
                highrate="1,560",
                trd_vol="1,01,527",
                trd_val="1,531.00",
            )
        )
    )

    assert CREDITACC_QUOTE == quote_in(answer)
    assert {
        "retyped:ltradert",
        "retyped:openrate",
        "retyped:highrate",
        "retyped:trd_vol",
        "retyped:trd_val",
    } == set(answer.drift)


@pytest.mark.parametrize("nothing", ["", "-", "--", "NA", None, " ", 0, 0.0, "0.00"])
def test_no_value_is_no_price(nothing):
    """All of BSE's ways to say nothing leave the field unknown; the row goes through."""
    answer = read_market(table(row(openrate=nothing, highrate=nothing)))

    assert CREDITACC_QUOTE._replace(open_paise=None, high_paise=None) == (
        quote_in(answer)
    )
    assert [] == answer.rejected


@pytest.mark.parametrize("nothing", ["", "-", "--", "NA", None])
def test_no_activity_is_unknown_but_zero_is_zero(nothing):
    """A scrip without trades today has volume 0, one without a word on it has none."""
    answer = read_market(table(row(trd_vol=0, trd_val=0.0, nooftrd=nothing, dt_tm="-")))

    quote = quote_in(answer)
    assert (0, 0, None, None) == (
        quote.volume,
        quote.turnover_paise,
        quote.trades,
        quote.exchange_time_ms,
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!doctype html><html>", "html"),
        (b"\r\n\r\n <HTML><HEAD><TITLE>Access Denied", "html"),
        (b"\xef\xbb\xbf<!doctype html>", "html"),
        (b" " * 100 + b"<html>", "html"),
        (b"null", "null"),
        (b" null\r\n", "null"),
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b'{"Table":[]}', "empty"),
        (table(CREDITACC)[:-30], "truncated"),
        (table("row", CREDITACC)[:-30], "truncated"),
        (b'{"Table":[{"ltradert":NaN}]}', "truncated"),
        (b"\x1f\x8b\x08\x00", "truncated"),
        (b"[]", "shape"),
        (b'"a string of JSON"', "shape"),
        (b"5", "shape"),
        (b"{}", "shape"),
        (b'{"Table":null}', "shape"),
        (b'{"Table":{}}', "shape"),
        (b'{"Message":"An error has occurred."}', "shape"),
        (b'{"Table":' + b"[" * 100_000, "shape"),
        (b'{"a":' * 100_000, "shape"),
    ],
)
def test_an_answer_that_is_no_market_data_is_one_typed_error(body, kind):
    """200 can be anything: the kind says what it was."""
    with pytest.raises(MalformedAnswer) as caught:
        read_market(body)

    assert kind == caught.value.kind


def test_a_byte_order_mark_does_not_matter():
    """IIS likes to send one."""
    answer = read_market(b"\xef\xbb\xbf" + table(CREDITACC))

    assert CREDITACC_QUOTE == quote_in(answer)


BAD_ROWS = [
    ("row", "Expected `object`, got `str`"),
    (None, "Expected `object`, got `null`"),
    ([], "Expected `object`, got `array`"),
    (row(ltradert={}), "ltradert"),
    (row(scripname=["x"]), "scripname"),
    (without("scrip_cd"), "scrip code"),
    (row(scrip_cd=0), "scrip code 0"),
    (row(scrip_cd=-500325), "scrip code -500325"),
    (row(scrip_cd=True), "scrip code True"),
    (row(scrip_cd=541770.5), "scrip code 541770.5"),
    (row(scrip_cd="54I770"), "scrip code '54I770'"),
    (row(scrip_cd="0000000541770"), "scrip code '0000000541770'"),
    (row(scrip_cd="5\u00b2"), "scrip code"),
    (row(scrip_cd=10**12), "scrip code 1000000000000"),
    (without("ltradert"), "no last price"),
    (row(ltradert=None), "no last price"),
    (row(ltradert="-"), "no last price"),
    (row(ltradert=0.0), "no last price"),
    (row(ltradert=-0.0), "no last price"),
    (row(ltradert=-1.05), "ltradert -1.05"),
    (row(ltradert="-1.05"), "ltradert -1.05"),
    (row(ltradert="not available"), "ltradert 'not available'"),
    (row(ltradert="NaN"), "ltradert 'NaN'"),
    (row(ltradert="inf"), "ltradert 'inf'"),
    (row(ltradert="1e999"), "ltradert '1e999'"),
    (row(ltradert="1_523"), "ltradert '1_523'"),
    (row(ltradert="1523,05"), "ltradert '1523,05'"),
    (row(ltradert="1,52,3.05"), "ltradert '1,52,3.05'"),
    (row(ltradert="\u0967\u0968"), "ltradert"),
    (row(ltradert=True), "ltradert True"),
    (row(ltradert=99_999_999.95), "ltradert 99999999.95"),
    (row(ltradert=10**30), "ltradert 1000"),
    (row(ltradert=1523.055), "not in whole paise"),
    (row(ltradert=0.001), "not in whole paise"),
    (row(openrate=1e300), "openrate"),
    (row(highrate=1425.0), "high 142500 below low 142590"),
    (row(trd_vol=-1), "trd_vol -1"),
    (row(trd_vol=2**53), "trd_vol"),
    (row(trd_val="much"), "trd_val 'much'"),
    (row(nooftrd=[]), "nooftrd"),
    (row(dt_tm="yesterday"), "dt_tm 'yesterday'"),
    (row(dt_tm="2023-10-23"), "dt_tm '2023-10-23'"),
    (row(dt_tm="2023-10-23T13:02:34+05:30"), "dt_tm"),
    (row(dt_tm="2023-02-30T13:02:34"), "dt_tm"),
    (row(ltradert="1" * 10_000), "ltradert"),
    (b'{"scrip_cd":541770,"ltradert":1e999}', "out of range"),
    (b'{"scrip_cd":541770,"ltradert":' + b"9" * 5000 + b"}", "out of range"),
    (b'{"scrip_cd":541770,"ltradert":' + b"9" * 400 + b"}", "ltradert 999"),
    (b'{"scrip_cd":541770,"scripname":"caf\xe9","ltradert":1}', "utf-8"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS)
def test_a_bad_row_is_named_and_the_good_ones_go_through(bad, reason):
    """One row never costs another, wherever it stands."""
    answer = read_market(table(GOOD, bad, {**GOOD, "scrip_cd": 532540}))

    assert {500325, 532540} == set(answer.seen) == set(answer.instruments)
    (rejected,) = answer.rejected
    assert "#1" in rejected.row
    assert reason in rejected.reason
    assert len(rejected.row) + len(rejected.reason) < 300


@pytest.mark.parametrize(
    "name", ["ltradert", "openrate", "highrate", "lowrate", "prevdayclose", "trd_val"]
)
def test_a_number_that_no_double_holds_in_paise_costs_its_row(name):
    """And not the market, also where all types are right."""
    answer = read_market(table(row(scrip_cd=500209), row(**{name: 1.7e308})))

    assert {500209} == set(answer.seen)
    (rejected,) = answer.rejected
    assert name in rejected.reason


def test_the_first_of_two_rows_of_a_scrip_counts():
    """A scrip listed twice has one price, and the second row is named."""
    answer = read_market(table(CREDITACC, row(ltradert=1.0)))

    assert CREDITACC_QUOTE == quote_in(answer)
    assert ["541770 #1: the scrip is listed twice"] == [
        f"{each.row}: {each.reason}" for each in answer.rejected
    ]


def test_a_bad_row_does_not_stand_for_its_scrip():
    """A later good row of the same scrip is taken."""
    answer = read_market(table(row(ltradert=-1), CREDITACC))

    assert CREDITACC_QUOTE == quote_in(answer)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("openrate", "open_paise"),
        ("prevdayclose", "previous_close_paise"),
        ("trd_vol", "volume"),
        ("trd_val", "turnover_paise"),
        ("nooftrd", "trades"),
        ("dt_tm", "exchange_time_ms"),
    ],
)
def test_a_field_that_is_gone_is_counted_and_not_reported(name, field):
    """What BSE no longer says keeps its last value: the field is not in the answer at all."""
    answer = read_market(table(without(name), {**GOOD, name: CREDITACC[name]}))

    assert 1 == answer.drift[f"missing:{name}"]
    assert NUMBER[field] not in answer.seen[541770]
    assert NUMBER[field] in answer.seen[500325]


def test_a_name_that_is_gone_is_counted_and_left_open():
    """A symbol is never made up here: the master may know it."""
    answer = read_market(table(without("scripname", "LONG_NAME", "scrip_grp")))

    assert (541770, "", "", "", "", "500|SMALLCAP") == answer.instruments[541770]
    assert 1 == answer.drift["missing:scripname"]


@pytest.mark.parametrize("name", [None, "", "  ", 7, True])
def test_a_name_that_is_no_text_is_left_open(name):
    """Neither an empty key nor the word None becomes a symbol."""
    assert "" == read_market(table(row(scripname=name))).instruments[541770].symbol


def test_names_are_bounded():
    """A name is no place for a megabyte."""
    answer = read_market(table(row(LONG_NAME="x" * 10_000)))

    assert NAME_MAX == len(answer.instruments[541770].name)


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00", "1900-01-01T00:00:00"])
def test_a_database_that_says_never_gives_no_time(never):
    """The least date of .NET and of SQL Server is no trade time; the price stands."""
    quote = quote_in(read_market(table(row(dt_tm=never))))

    assert CREDITACC_QUOTE._replace(exchange_time_ms=None) == quote


def test_fractions_of_a_second_are_cut():
    """Times are to the second."""
    quote = quote_in(read_market(table(row(dt_tm="2023-10-23T13:02:34.997"))))

    assert CREDITACC_QUOTE == quote


def test_an_answer_of_bad_rows_only_names_them_all():
    """Whether nothing usable is an error is for the poll loop to say."""
    answer = read_market(table("row", None, row(ltradert=-1)))

    assert {} == answer.seen
    assert ["#0", "#1", "541770 #2"] == [each.row for each in answer.rejected]


# Laws.

PRICES = st.integers(1, PAISE_MAX).map(lambda paise: Decimal(paise).scaleb(-2))
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["-", "1,23,456.05", "2023-10-23T13:02:34", "541770"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)
ANY_ROW = ANY_JSON | st.dictionaries(
    st.sampled_from(sorted(CREDITACC)), ANY_JSON, max_size=8
)


def indian(price):
    """The price as text with Indian commas."""
    whole, _, part = f"{price:.2f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = []
    while head:
        groups.append(head[-2:])
        head = head[:-2]
    return ",".join([*reversed(groups), tail]) + "." + part


@given(PRICES)
@example(Decimal("0.01"))
@example(Decimal("1523.05"))
@example(Decimal("49999999.99"))
def test_every_price_of_two_decimals_is_read_exactly(price):
    """As a number, as text and with Indian commas: the paise are the very digits that BSE wrote."""
    digits = f"{price:.2f}"
    for written in (
        digits,
        str(price.normalize()),
        f'"{digits}"',
        f'"{indian(price)}"',
    ):
        body = f'{{"scrip_cd":541770,"ltradert":{written}}}'.encode()
        last_paise = quote_in(read_market(table(body))).last_paise
        assert digits == f"{last_paise // 100}.{last_paise % 100:02d}"


@given(st.decimals(min_value=0, max_value=PAISE_MAX, places=6))
def test_a_price_is_exact_or_refused(price):
    """What has more than two decimals is refused, not rounded to another price."""
    answer = read_market(table(f'{{"scrip_cd":7,"ltradert":{price:f}}}'.encode()))

    if answer.seen:
        last_paise = quote_in(answer, 7).last_paise
        assert abs(Decimal(last_paise) - price * 100) <= Decimal("0.0011")
    else:
        assert 1 == len(answer.rejected)


@given(st.lists(ANY_ROW, min_size=1, max_size=5))
def test_whatever_the_rows_are_each_is_taken_or_named(rows):
    """No JSON raises anything but MalformedAnswer, and no row is lost without a word."""
    answer = read_market(table(*rows))

    assert len(rows) == len(answer.seen) + len(answer.rejected)
    for fields in answer.seen.values():
        assert 0 < fields[NUMBER["last_paise"]] <= PAISE_MAX
        assert all(value is None or value >= 0 for value in fields.values())


@given(ANY_ROW, st.permutations(["first", "second", "third"]))
def test_good_rows_do_not_depend_on_their_neighbours(stranger, order):
    """The captured row is read the same beside anything."""
    code, other = 9_999_998, 9_999_999
    rows = {
        "first": row(scrip_cd=code),
        "second": row(scrip_cd=other),
        "third": stranger,
    }
    answer = read_market(table(*(rows[name] for name in order)))

    assert CREDITACC_QUOTE == quote_in(answer, code) == quote_in(answer, other)


@given(st.binary(max_size=200))
def test_random_bytes_are_an_answer_or_malformed(body):
    """The reader knows no other error."""
    with suppress(MalformedAnswer):
        read_market(body)


@given(st.data())
def test_a_good_answer_with_a_byte_changed_is_an_answer_or_malformed(data):
    """Damage on the way never ends the process."""
    body = table(CREDITACC, GOOD)
    place = data.draw(st.integers(0, len(body) - 1))
    damaged = body[:place] + data.draw(st.binary(max_size=3)) + body[place + 1 :]
    with suppress(MalformedAnswer):
        read_market(damaged)


# A reader that remembers.

CODES = (500325, 532540, 541770)
TYPED_ROWS = st.fixed_dictionaries(
    {
        **{name: st.just(value) for name, value in CREDITACC.items()},
        "scrip_cd": st.sampled_from(CODES),
        "scripname": st.sampled_from(["CREDITACC", "RELIANCE", ""]),
        "ltradert": st.sampled_from([1523.05, 1523.1, 1560, 0.0, -1.0, 1523.055]),
        "highrate": st.sampled_from([1560.0, 1425.0, 0.0]),
        "openrate": st.sampled_from([1439.65, 0.0, 1e300]),
        "trd_val": st.sampled_from([1531.0, 1531.25, 0.001, -1.0]),
        "trd_vol": st.sampled_from([101527, 0, -1, 2**53]),
        "dt_tm": st.sampled_from(["2023-10-23T13:02:34", "-", "yesterday"]),
    }
)


@given(st.lists(st.lists(TYPED_ROWS, min_size=1, max_size=4), max_size=4))
def test_a_reader_that_remembers_reads_what_a_fresh_one_reads(tables):
    """Neither the fast way nor what was read before changes what an answer says."""
    reader = MarketReader()
    names = {}
    for rows in tables:
        body = table(*rows)
        # A member of another type sends the whole answer the patient way.
        patient = read_market(table(*rows, "row"))
        answer, fresh = reader.read(body), read_market(body)

        assert patient.seen == answer.seen == fresh.seen
        assert patient.rejected[:-1] == answer.rejected == fresh.rejected
        names = {**names, **answer.instruments}
        assert fresh.instruments.items() <= names.items()


def test_a_row_that_says_the_same_again_is_the_very_same_object():
    """The writer need not look into it, and nobody is told the names again."""
    reader = MarketReader()
    first = reader.read(table(CREDITACC, GOOD | FULL))
    second = reader.read(table(CREDITACC, {**GOOD, **FULL, "ltradert": 2902.0}))

    assert first.seen[541770] is second.seen[541770]
    assert 290_200 == second.seen[500325][NUMBER["last_paise"]]
    assert {} == second.instruments


# A reading in pieces.


def in_chunks(body, chunk_bytes):
    """The body cut into chunks of this size."""
    for begin in range(0, len(body), chunk_bytes):
        yield body[begin : begin + chunk_bytes]


def outcome(read):
    """The answer, or the kind of error."""
    try:
        return read()
    except MalformedAnswer as error:
        return error.kind


SPLITTING_TEXT = st.sampled_from(
    ["},{", '"},{"', "]}", '{"Table":[', "[{},{}]", "}]},{", "caf\xe9", "\\"]
)
STRANGE = st.fixed_dictionaries(
    {},
    optional={
        "LONG_NAME": SPLITTING_TEXT,
        "extra": SPLITTING_TEXT | ANY_JSON | st.just([{"a": 1}, {"b": 2}]),
    },
)
RETYPED = st.fixed_dictionaries({"trd_vol": st.none() | st.just("5")})
PIECE_ROWS = st.builds(
    lambda row, strange: {**row, **strange},
    TYPED_ROWS,
    st.one_of(*[st.just({})] * 6, STRANGE),
)
PIECE_TABLES = st.lists(PIECE_ROWS, min_size=4, max_size=8)
AROUND = st.sampled_from([(b'{"Table":[', b"]}")] * 10) | st.sampled_from(
    [
        (b'{"Table":[', b"]}"),
        (b'\xef\xbb\xbf { "Table" : [', b"]} \n"),
        (b'{"Table":[', b'],"Table1":[{"a":1},{"b":2}]}'),
        (b'{"Other":[{},{}],"Table":[', b"]}"),
        (b'{"Table":[', b'],"Table":[]}'),
        (b'{"Table":[', b'],"Table":[{"scrip_cd":7,"ltradert":1.5},{}]}'),
        (b'{"Table":[', b"]"),
        (b'{"Table":[', b""),
        (b"[", b"]"),
        (b"", b"]}"),
    ]
)


@given(
    st.lists(
        PIECE_TABLES | st.builds(lambda rows, row: [*rows, row], PIECE_TABLES, RETYPED),
        min_size=1,
        max_size=3,
    ),
    AROUND,
    st.sampled_from([90, 300, 700]),
    st.sampled_from([500, 600, 1000]),
)
def test_an_answer_says_the_same_however_it_is_cut(
    tables, around, chunk_bytes, piece_bytes
):
    """Whatever stands in its texts and around its rows, and whatever was read before."""
    pieces, whole = MarketReader(piece_bytes), MarketReader(10**9)
    for rows in tables:
        written = [json.dumps(row, separators=(",", ":")).encode() for row in rows]
        body = around[0] + b",".join(written) + around[1]
        reading = pieces.reading()
        for chunk in in_chunks(body, chunk_bytes):
            reading.take(chunk)

        assert outcome(lambda: whole.read(body)) == outcome(reading.read)  # noqa: B023


def test_most_of_an_answer_is_read_before_its_end():
    """Or the reading in pieces would be for nothing: only what came last is left."""
    rows = [row(scrip_cd=code) for code in range(1, 501)]
    body = json.dumps({"Table": rows}, separators=(",", ":")).encode()
    reading = MarketReader(piece_bytes=4096).reading()
    for chunk in in_chunks(body, 1000):
        reading.take(chunk)

    assert 0 < len(reading.unread) <= 4096 + 1000
    assert body.endswith(reading.unread)
    assert 500 == len(reading.read().seen)


def test_what_came_last_is_left_alone():
    """The time stamp of its arrival must not wait for the reading."""
    rows = [row(scrip_cd=code) for code in range(1, 101)]
    body = json.dumps({"Table": rows}, separators=(",", ":")).encode()
    reading = MarketReader(piece_bytes=1000).reading()
    for chunk in in_chunks(body, 5000):
        reading.take(chunk)
        assert reading.unread.endswith(chunk)


def test_a_name_told_in_between_is_told_again():
    """An answer that was read with patience may have told another name: whoever keeps the names must hear of it."""
    reader = MarketReader()
    reader.read(table(CREDITACC))
    reader.read(table(row(scripname="OTHER", trd_vol="5")))
    answer = reader.read(table(CREDITACC))

    assert "CREDITACC" == answer.instruments[541770].symbol
