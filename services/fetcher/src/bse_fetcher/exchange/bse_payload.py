"""The only file that knows BSE's JSON: an answer's bytes to fields of quotes, and the rows it rejects.

Pure. `GetMktData` rows carry JSON numbers; BSE's other answers carry strings with Indian commas, so both are
read everywhere, and a number that came as a string is counted as drift. Money never passes through float
arithmetic beyond the one rounding that turns the parsed number into paise.
"""

import codecs
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from bse_fetcher.exchange.errors import MalformedAnswer
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


Scalar = int | float | str | bool | None

PAISE_MAX = 5_000_000_000
"""Rs 5 crore; beyond it a price is absurd (the dearest listings are bonds of a crore face value)."""

CODE_MAX = 9_999_999
CODE_DIGITS_MAX = 9
NAME_MAX = 200
SHOWN_MAX = 60
"""How much of a bad value is named in a reason."""

SECONDS_LENGTH = len("2023-10-23T13:02:34")
YEAR_MIN = 1990
"""Databases write "never" as the year 1 or 1900."""

IST_OFFSET_MS = 19_800_000
PAISE_PER_LAKH_RUPEES = 10_000_000
NO_VALUE = frozenset({"", "-", "--", "NA"})


class MarketRow(msgspec.Struct):
    """A row of `GetMktData`, as far as it is used; a missing member stays UNSET."""

    scrip_cd: Scalar | msgspec.UnsetType = msgspec.UNSET
    scripname: Scalar | msgspec.UnsetType = msgspec.UNSET
    LONG_NAME: Scalar | msgspec.UnsetType = msgspec.UNSET
    scrip_grp: Scalar | msgspec.UnsetType = msgspec.UNSET
    openrate: Scalar | msgspec.UnsetType = msgspec.UNSET
    highrate: Scalar | msgspec.UnsetType = msgspec.UNSET
    lowrate: Scalar | msgspec.UnsetType = msgspec.UNSET
    ltradert: Scalar | msgspec.UnsetType = msgspec.UNSET
    prevdayclose: Scalar | msgspec.UnsetType = msgspec.UNSET
    trd_val: Scalar | msgspec.UnsetType = msgspec.UNSET
    trd_vol: Scalar | msgspec.UnsetType = msgspec.UNSET
    nooftrd: Scalar | msgspec.UnsetType = msgspec.UNSET
    dt_tm: Scalar | msgspec.UnsetType = msgspec.UNSET


class _MarketTable(msgspec.Struct):
    Table: list[MarketRow]


class _RawTable(msgspec.Struct):
    Table: list[msgspec.Raw]


class _MasterRow(msgspec.Struct):
    SCRIP_CD: str | int
    scrip_id: str
    Scrip_Name: str | None = None
    GROUP: str | None = None
    ISIN_NUMBER: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: which, and why."""

    row: str
    reason: str


@dataclass(slots=True)
class MarketAnswer:
    """A whole-market answer: fields by scrip code and field number, who the scrips are, and what was wrong.

    An instrument's symbol is empty where the row does not tell it.
    """

    seen: dict[int, dict[int, Value]] = field(default_factory=dict)
    instruments: dict[int, Instrument] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class MasterAnswer:
    """The list of active scrips, and the rows that were not taken."""

    instruments: list[Instrument] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


class _BadValue(ValueError):
    """A value that no quote can have."""


_market = msgspec.json.Decoder(_MarketTable)
_raw = msgspec.json.Decoder(_RawTable)
_row = msgspec.json.Decoder(MarketRow)
_master = msgspec.json.Decoder(list[msgspec.Raw])
_master_row = msgspec.json.Decoder(_MasterRow)

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON of the wanted shape."""

_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{2,3})*,\d{3}|\d+)(\.\d*)?", re.ASCII)
"""Indian or Western grouping: `1439,65` is no price, and surely not 143,965 rupees."""

_LAST, _OPEN, _HIGH, _LOW, _PREVIOUS_CLOSE = (
    NUMBER[name]
    for name in (
        "last_paise",
        "open_paise",
        "high_paise",
        "low_paise",
        "previous_close_paise",
    )
)
_VOLUME, _TRADES, _TURNOVER, _TIME, _SOURCE, _CONDITION = (
    NUMBER[name]
    for name in (
        "volume",
        "trades",
        "turnover_paise",
        "exchange_time_ms",
        "source",
        "condition",
    )
)


def read_market(body: bytes) -> MarketAnswer:
    """The answer of `GetMktData`. Bad rows are named in `rejected`. Raises MalformedAnswer for the whole."""
    answer = MarketAnswer()
    for number, row in enumerate(_market_rows(_json_of(body), answer)):
        if row is None:
            continue
        try:
            _read_row(row, answer)
        except _BadValue as error:
            name = f"{_shown(row.scrip_cd)} #{number}"
            answer.rejected.append(Rejected(name, str(error)))
    return answer


def read_master(body: bytes) -> MasterAnswer:
    """The answer of `ListofScripData`. Bad rows are named. Raises MalformedAnswer for the whole."""
    try:
        raws = _master.decode(_json_of(body))
    except _UNREADABLE as error:
        raise _malformed(error) from error
    answer = MasterAnswer()
    for number, raw in enumerate(raws):
        try:
            answer.instruments.append(_instrument(_master_row.decode(raw)))
        except (_BadValue, *_UNREADABLE) as error:
            answer.rejected.append(Rejected(f"#{number}", str(error)))
    if not answer.instruments:
        raise MalformedAnswer("empty", f"no usable row of {len(raws)}")
    return answer


def _market_rows(body: bytes, answer: MarketAnswer) -> list[MarketRow | None]:
    rows: list[MarketRow | None]
    try:
        rows = [*_market.decode(body).Table]
    except (msgspec.ValidationError, UnicodeDecodeError):
        # Some row is not what it should be: read row by row, so that the good ones go through.
        rows = _rows_one_by_one(body, answer)
    except _UNREADABLE as error:
        raise _malformed(error) from error
    if not rows:
        raise MalformedAnswer("empty", "no rows")
    return rows


def _rows_one_by_one(body: bytes, answer: MarketAnswer) -> list[MarketRow | None]:
    """The rows in their places; None for a rejected one."""
    try:
        raws = _raw.decode(body).Table
    except _UNREADABLE as error:
        raise _malformed(error) from error
    rows: list[MarketRow | None] = []
    for number, raw in enumerate(raws):
        try:
            rows.append(_row.decode(raw))
        except _UNREADABLE as error:
            answer.rejected.append(Rejected(f"#{number}", str(error)))
            rows.append(None)
    return rows


def _json_of(body: bytes) -> bytes:
    """The body without a byte order mark. Raises MalformedAnswer where it is plainly no JSON."""
    body = body.removeprefix(codecs.BOM_UTF8)
    text = body.strip()
    if not text:
        raise MalformedAnswer("empty", "no body")
    if text.startswith(b"<"):
        raise MalformedAnswer("html", "a page instead of data")
    if text == b"null":
        raise MalformedAnswer("null", "the answer is null")
    return body


def _malformed(error: Exception) -> MalformedAnswer:
    """JSON of another shape, or no JSON: then it was most likely cut."""
    is_json = isinstance(error, msgspec.ValidationError | UnicodeDecodeError)
    too_deep = isinstance(error, RecursionError)
    return MalformedAnswer("shape" if is_json or too_deep else "truncated", str(error))


def _instrument(row: _MasterRow) -> Instrument:
    symbol = _text(row.scrip_id).upper()
    if not symbol:
        raise _BadValue("no scrip_id")
    return Instrument(
        _code(row.SCRIP_CD),
        symbol,
        _text(row.ISIN_NUMBER).upper(),
        _text(row.Scrip_Name),
        _text(row.GROUP),
    )


def _read_row(row: MarketRow, answer: MarketAnswer) -> None:
    code = _code(row.scrip_cd)
    if code in answer.seen:
        raise _BadValue("the scrip is listed twice")
    drift = answer.drift
    fields: dict[int, Value] = {_SOURCE: Source.BSE, _CONDITION: Condition.GOOD}
    for name, number, value in (
        ("ltradert", _LAST, row.ltradert),
        ("openrate", _OPEN, row.openrate),
        ("highrate", _HIGH, row.highrate),
        ("lowrate", _LOW, row.lowrate),
        ("prevdayclose", _PREVIOUS_CLOSE, row.prevdayclose),
    ):
        if value is msgspec.UNSET:
            drift[f"missing:{name}"] = drift.get(f"missing:{name}", 0) + 1
        else:
            fields[number] = _paise(value, name, drift)
    if fields.get(_LAST) is None:
        raise _BadValue("no last price")
    high, low = fields.get(_HIGH), fields.get(_LOW)
    if isinstance(high, int) and isinstance(low, int) and high < low:
        raise _BadValue(f"high {high} below low {low} (paise)")
    _read_activity(row, fields, drift)
    answer.seen[code] = fields
    if row.scripname is msgspec.UNSET:
        drift["missing:scripname"] = drift.get("missing:scripname", 0) + 1
    answer.instruments[code] = Instrument(
        code,
        _text(row.scripname).upper(),
        "",
        _text(row.LONG_NAME),
        _text(row.scrip_grp),
    )


def _read_activity(
    row: MarketRow, fields: dict[int, Value], drift: dict[str, int]
) -> None:
    for name, number, value, unit in (
        ("trd_vol", _VOLUME, row.trd_vol, 1),
        ("nooftrd", _TRADES, row.nooftrd, 1),
        ("trd_val", _TURNOVER, row.trd_val, PAISE_PER_LAKH_RUPEES),
    ):
        if value is msgspec.UNSET:
            drift[f"missing:{name}"] = drift.get(f"missing:{name}", 0) + 1
        else:
            fields[number] = _count(value, unit, name, drift)
    if isinstance(row.dt_tm, str):
        fields[_TIME] = _time_ms(row.dt_tm)
    else:
        drift["missing:dt_tm"] = drift.get("missing:dt_tm", 0) + 1


def _code(value: object) -> int:
    number = value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        number = int(value) if len(value) <= CODE_DIGITS_MAX else 0
    if type(number) is not int or not 0 < number <= CODE_MAX:
        raise _BadValue(f"scrip code {_shown(value)}")
    return number


def _text(value: object) -> str:
    """A name, or nothing where there is none or it is no text."""
    return value.strip()[:NAME_MAX] if isinstance(value, str) else ""


def _shown(value: object) -> str:
    return repr(value)[:SHOWN_MAX]


def _paise(value: object, name: str, drift: dict[str, int]) -> int | None:
    """Rupees as paise; None for no value (0.00 means no trade on record)."""
    if type(value) is not float and type(value) is not int:
        value = _number(value, name, drift)
        if value is None:
            return None
    scaled = value * 100
    if not 0 <= scaled <= PAISE_MAX:
        raise _BadValue(f"{name} {_shown(value)}")
    paise = round(scaled)
    # A double holds two decimals of ten digits exactly enough; what is further off is no price.
    if abs(scaled - paise) > 1e-3:  # noqa: PLR2004 - a thousandth of a paisa
        raise _BadValue(f"{name} {_shown(value)} is not in whole paise")
    return paise or None


def _count(value: object, unit: int, name: str, drift: dict[str, int]) -> int | None:
    if type(value) is not float and type(value) is not int:
        value = _number(value, name, drift)
        if value is None:
            return None
    scaled = value * unit
    if not 0 <= scaled < 2**53:
        raise _BadValue(f"{name} {_shown(value)}")
    return round(scaled)


def _number(value: object, name: str, drift: dict[str, int]) -> float | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _BadValue(f"{name} {_shown(value)}")
    drift[f"retyped:{name}"] = drift.get(f"retyped:{name}", 0) + 1
    text = value.strip()
    if text in NO_VALUE:
        return None
    if not _NUMBER.fullmatch(text):
        raise _BadValue(f"{name} {_shown(value)}")
    return float(text.replace(",", ""))


@lru_cache(maxsize=8192)
def _time_ms(text: str) -> int | None:
    """IST without zone, to the second, as epoch milliseconds; None for no time."""
    if text.strip() in NO_VALUE:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _BadValue(f"dt_tm {_shown(text)}") from None
    if at.tzinfo is not None or len(text) < SECONDS_LENGTH:
        raise _BadValue(f"dt_tm {_shown(text)}")
    if at.year < YEAR_MIN:
        return None
    return int(at.replace(tzinfo=UTC).timestamp()) * 1000 - IST_OFFSET_MS
