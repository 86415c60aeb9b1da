"""Both end-of-day layouts are read; what cannot be read is named."""

from datetime import date

import pytest

from bse_exchange_sim.universe.bhavcopy import (
    LEGACY_COLUMNS,
    UDIFF_COLUMNS,
    NotABhavcopyError,
    date_from_name,
    paise,
    read_bhavcopy,
)
from bse_exchange_sim.universe.scrip import Scrip


LEGACY = ",".join(LEGACY_COLUMNS)
ABB = "500002,ABB LTD.    ,A ,Q,8710.00,8712.50,8440.00,8492.60,8517.65,8636.00,1854,8282,70820306.00,"
THIN = "503772,MODELLA WOOL,X ,Q,71.00,71.00,71.00,71.00,71.00,67.92,1,2,142.00,"
UDIFF = ",".join(UDIFF_COLUMNS)
INFY = (
    "2026-09-29,2026-09-29,CM,BSE,STK,500209,INE009A01021,INFY,A,,,,,INFOSYS LTD.,"
    "1004.95,1005.50,980.30,1005.50,{last},1003.00,,1015.29,,,394600,390690387.00,"
    "15928,F1,1,,,,,"
)


def test_legacy_row_is_read_exactly() -> None:
    """A legacy row becomes integer paise with its padding stripped."""
    file = read_bhavcopy(f"{LEGACY}\n{ABB}\n", {})
    scrip, bar = file.listings[0].scrip, file.listings[0].bar
    assert (file.layout, file.trade_date, file.bad_rows) == ("legacy", None, ())
    assert (scrip.code, scrip.symbol, scrip.group) == (500002, "ABB LTD.", "A")
    assert (scrip.isin, scrip.tick_paise) == ("", 5)
    assert (bar.open_paise, bar.high_paise, bar.low_paise) == (871000, 871250, 844000)
    assert (bar.close_paise, bar.last_paise) == (849260, 851765)
    assert (bar.volume, bar.turnover_paise, bar.trades) == (8282, 7082030600, 1854)


def test_legacy_row_of_a_known_code_gets_its_real_symbol() -> None:
    """A known code lends symbol and ISIN; the group is the file's."""
    known = {500002: Scrip(500002, "ABB", "INE117A01022", "B", "ABB India")}
    scrip = read_bhavcopy(f"{LEGACY}\n{ABB}\n", known).listings[0].scrip
    assert (scrip.symbol, scrip.isin, scrip.group) == ("ABB", "INE117A01022", "A")


def test_udiff_row_is_read_exactly() -> None:
    """A UDiFF row brings its own symbol, ISIN and date; CRLF and a BOM are fine."""
    text = f"\ufeff{UDIFF}\r\n{INFY.format(last='1004.20')}\r\n"
    file = read_bhavcopy(text, {})
    scrip, bar = file.listings[0].scrip, file.listings[0].bar
    assert (file.layout, file.trade_date) == ("udiff", date(2026, 9, 29))
    assert (scrip.symbol, scrip.isin) == ("INFY", "INE009A01021")
    assert (bar.last_paise, bar.previous_close_paise) == (100420, 100300)
    assert (bar.volume, bar.trades) == (394600, 15928)


def test_missing_last_price_is_the_close() -> None:
    """Debt rows may lack the last price: the close stands in."""
    file = read_bhavcopy(f"{UDIFF}\n{INFY.format(last='')}\n", {})
    assert file.listings[0].bar.last_paise == 100550


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (ABB + THIN, "27 fields instead of 14"),
        (ABB.replace("8440.00", "NaN"), "not an amount in rupees: 'NaN'"),
        (ABB.replace("8440.00", "-1.00"), "not an amount in rupees: '-1.00'"),
        (ABB.replace("8440.00", "0.00"), "low 0 and high 871250 paise"),
        (ABB.replace("1854", "many"), "not a whole number: 'many'"),
        (ABB.replace("8710.00", "0.00"), "open or last is zero"),
        (THIN, "the code occurs twice"),
    ],
)
def test_bad_row_is_named_and_skipped(row: str, problem: str) -> None:
    """One bad row costs itself, not the file."""
    file = read_bhavcopy(f"{LEGACY}\n{THIN}\n{row}\n\n", {})
    assert [each.scrip.code for each in file.listings] == [503772]
    assert [(bad.line, bad.problem) for bad in file.bad_rows] == [(3, problem)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("  \n", "the file is empty"),
        ("\n<!doctype html><html>", "the file is an HTML page"),
        ("SYMBOL,SERIES,OPEN\nINFY,EQ,1\n", "the header is neither legacy nor UDiFF"),
        ("x" * 200_000, "the file is not CSV: field larger than field limit (131072)"),
        (LEGACY + "\n", "no readable row in the file"),
    ],
)
def test_other_file_is_refused(text: str, reason: str) -> None:
    """A file that is no bhavcopy is refused with the reason."""
    with pytest.raises(NotABhavcopyError) as caught:
        read_bhavcopy(text, {})
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "amount"), [("12", 1200), ("0.5", 50), (" 8469.4500 ", 846945)]
)
def test_paise_reads_rupees_exactly(text: str, amount: int) -> None:
    """Rupees become paise without a float in between."""
    assert paise(text) == amount


def test_a_third_decimal_is_not_money() -> None:
    """A price that is no whole number of paise is refused, not rounded."""
    with pytest.raises(ValueError, match="not an amount"):
        paise("1.005")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("EQ280624.CSV", date(2024, 6, 28)),
        ("BSE_EQ_28JUN2024.csv", date(2024, 6, 28)),
        ("BhavCopy_BSE_CM_0_0_0_20260929_F_0000.CSV", date(2026, 9, 29)),
        ("EQ999999.csv", None),
        ("loader.csv", None),
    ],
)
def test_date_is_read_from_the_file_name(name: str, day: date | None) -> None:
    """The legacy file has its date only in its name."""
    assert date_from_name(name) == day
