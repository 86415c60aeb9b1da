"""Reads the exchange's end-of-day files: the legacy one and UDiFF, told by header.

A row that cannot be read is named and skipped; a file that is neither layout, empty or
an HTML page is refused with `NotABhavcopyError`. Known defect: one real legacy file
has two records on one line.
"""

import csv
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

import msgspec

from bse_exchange_sim.universe.scrip import (
    PAISE_PER_RUPEE,
    DayBar,
    Listing,
    Scrip,
    tick_for,
)


def _names(header: str) -> list[str]:
    return header.split(",")


LEGACY_COLUMNS = _names(
    "SC_CODE,SC_NAME,SC_GROUP,SC_TYPE,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,"
    "NO_TRADES,NO_OF_SHRS,NET_TURNOV,TDCLOINDI"
)
UDIFF_COLUMNS = _names(
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,"
    "FininstrmActlXpryDt,StrkPric,OptnTp,FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,"
    "LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,"
    "TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,"
    "Rsvd3,Rsvd4"
)

_MONEY = re.compile(r"(\d{1,15})(?:\.(\d{1,2})0*)?")
_COUNT = re.compile(r"(\d{1,15})(?:\.0*)?")
_SHOWN_CHARACTERS = 40

Row = Mapping[str, str]


class NotABhavcopyError(ValueError):
    """The text is no end-of-day file of the exchange."""

    def __init__(self, reason: str, beginning: str) -> None:
        """Keep why, and how the text begins."""
        super().__init__(f"{reason} (it begins {beginning[:_SHOWN_CHARACTERS]!r})")
        self.reason = reason


class BadRow(msgspec.Struct, frozen=True, gc=False):
    """A skipped line: where it is, whose it is, what is wrong with it."""

    line: int
    code: str
    problem: str


class Bhavcopy(msgspec.Struct, frozen=True):
    """The readable rows of one file, its date if it says one, and the bad rows."""

    layout: str
    listings: tuple[Listing, ...]
    trade_date: date | None
    bad_rows: tuple[BadRow, ...]


def paise(text: str) -> int:
    """Read rupees with at most two decimals, exactly."""
    match = _MONEY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not an amount in rupees: {text!r}")
    return int(match[1]) * PAISE_PER_RUPEE + int((match[2] or "").ljust(2, "0"))


def count(text: str) -> int:
    """Read a whole number, also one written as 12.0."""
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a whole number: {text!r}")
    return int(match[1])


def read_bhavcopy(text: str, known: Mapping[int, Scrip]) -> Bhavcopy:
    """Read a whole file; `known` scrips lend their symbol, ISIN and indices."""
    lines = _lines(text)
    columns = _columns(text, lines)
    to_listing = _from_legacy if columns == LEGACY_COLUMNS else _from_udiff
    listings: dict[int, Listing] = {}
    bad_rows: list[BadRow] = []
    for number, fields in enumerate(lines[1:], start=2):
        if not any(field.strip() for field in fields):
            continue
        try:
            listing = _listing(columns, fields, to_listing, known)
            if listing.scrip.code in listings:
                raise ValueError("the code occurs twice")  # noqa: TRY301 - one handler names every bad row
        except ValueError as error:
            bad_rows.append(BadRow(number, fields[0].strip(), str(error)))
        else:
            listings[listing.scrip.code] = listing
    if not listings:
        raise NotABhavcopyError("no readable row in the file", text)
    layout = "legacy" if columns == LEGACY_COLUMNS else "udiff"
    dated = None if layout == "legacy" else _first_date(columns, lines)
    return Bhavcopy(layout, tuple(listings.values()), dated, tuple(bad_rows))


def _lines(text: str) -> list[list[str]]:
    try:
        return list(csv.reader(text.removeprefix("\ufeff").splitlines()))
    except csv.Error as error:
        raise NotABhavcopyError(f"the file is not CSV: {error}", text) from error


def _columns(text: str, lines: list[list[str]]) -> list[str]:
    start = text.removeprefix("\ufeff").lstrip()
    if not start:
        raise NotABhavcopyError("the file is empty", text)
    if start.startswith("<"):
        raise NotABhavcopyError("the file is an HTML page", start)
    columns = [name.strip() for name in lines[0]]
    if columns not in (LEGACY_COLUMNS, UDIFF_COLUMNS):
        raise NotABhavcopyError("the header is neither legacy nor UDiFF", start)
    return columns


def _listing(
    columns: list[str],
    fields: list[str],
    to_listing: Callable[[Row, Mapping[int, Scrip]], Listing],
    known: Mapping[int, Scrip],
) -> Listing:
    if len(fields) != len(columns):
        raise ValueError(f"{len(fields)} fields instead of {len(columns)}")
    row = {name: field.strip() for name, field in zip(columns, fields, strict=True)}
    listing = to_listing(row, known)
    bar = listing.bar
    if not 0 < bar.low_paise <= bar.high_paise:
        raise ValueError(f"low {bar.low_paise} and high {bar.high_paise} paise")
    if not bar.last_paise or not bar.open_paise:
        raise ValueError("open or last is zero")
    return listing


def _scrip(code: int, name: str, group: str, last_paise: int) -> Scrip:
    return Scrip(code, name, "", group, name, tick_paise=tick_for(last_paise))


def _from_legacy(row: Row, known: Mapping[int, Scrip]) -> Listing:
    bar = DayBar(
        open_paise=paise(row["OPEN"]),
        high_paise=paise(row["HIGH"]),
        low_paise=paise(row["LOW"]),
        close_paise=paise(row["CLOSE"]),
        last_paise=paise(row["LAST"] or row["CLOSE"]),
        previous_close_paise=paise(row["PREVCLOSE"] or "0"),
        volume=count(row["NO_OF_SHRS"]),
        turnover_paise=paise(row["NET_TURNOV"]),
        trades=count(row["NO_TRADES"]),
    )
    code = count(row["SC_CODE"])
    fresh = _scrip(code, row["SC_NAME"], row["SC_GROUP"], bar.last_paise)
    mine = known.get(code, fresh)
    return Listing(msgspec.structs.replace(mine, group=fresh.group), bar)


def _from_udiff(row: Row, known: Mapping[int, Scrip]) -> Listing:
    bar = DayBar(
        open_paise=paise(row["OpnPric"]),
        high_paise=paise(row["HghPric"]),
        low_paise=paise(row["LwPric"]),
        close_paise=paise(row["ClsPric"]),
        last_paise=paise(row["LastPric"] or row["ClsPric"]),
        previous_close_paise=paise(row["PrvsClsgPric"] or "0"),
        volume=count(row["TtlTradgVol"]),
        turnover_paise=paise(row["TtlTrfVal"]),
        trades=count(row["TtlNbOfTxsExctd"]),
    )
    code = count(row["FinInstrmId"])
    fresh = _scrip(code, row["FinInstrmNm"], row["SctySrs"], bar.last_paise)
    mine = known.get(code, fresh)
    told = {"symbol": row["TckrSymb"], "isin": row["ISIN"], "group": row["SctySrs"]}
    return Listing(msgspec.structs.replace(mine, **told), bar)


def _first_date(columns: list[str], lines: list[list[str]]) -> date | None:
    column = columns.index("TradDt")
    for fields in lines[1:]:
        try:
            return date.fromisoformat(fields[column].strip())
        except (IndexError, ValueError):
            continue
    return None


_DATES_IN_NAMES = (
    (re.compile(r"(?<!\d)(\d{8})(?!\d)"), "%Y%m%d"),
    (re.compile(r"(?<!\d)(\d{2}[A-Za-z]{3}\d{4})"), "%d%b%Y"),
    (re.compile(r"EQ_?(\d{6})(?!\d)", re.IGNORECASE), "%d%m%y"),
)


def date_from_name(file_name: str) -> date | None:
    """Read the trade date out of a file name: the legacy file holds none."""
    for pattern, layout in _DATES_IN_NAMES:
        for found in pattern.findall(file_name):
            try:
                return datetime.strptime(found, layout).date()  # noqa: DTZ007 - a calendar date has no zone
            except ValueError:
                continue
    return None
