"""The only file that knows BSE's JSON: an answer's bytes to fields of quotes, and the rows it rejects.

Pure. `GetMktData` rows carry JSON numbers; BSE's other answers carry strings with Indian commas, so both are
read everywhere, and a number that came as a string is counted as drift. Money never passes through float
arithmetic beyond the one rounding that turns the parsed number into paise.
"""

import codecs
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec

from bse_fetcher.exchange.bse_values import (
    BadValue,
    code,
    count,
    paise,
    shown,
    text,
    time_ms,
)
from bse_fetcher.exchange.errors import MalformedAnswer
from bse_shared.quotes.instrument import Instrument, index_name
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


Scalar = int | float | str | bool | None

PAISE_PER_LAKH_RUPEES = 10_000_000


INDICES_MAX = 2000
"""Characters of a row's list of indices that are read."""


class MarketRow(msgspec.Struct):
    """A row of `GetMktData`, as far as it is used; a missing member stays UNSET."""

    scrip_cd: Scalar | msgspec.UnsetType = msgspec.UNSET
    scripname: Scalar | msgspec.UnsetType = msgspec.UNSET
    LONG_NAME: Scalar | msgspec.UnsetType = msgspec.UNSET
    scrip_grp: Scalar | msgspec.UnsetType = msgspec.UNSET
    index_code: Scalar | msgspec.UnsetType = msgspec.UNSET
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


_market = msgspec.json.Decoder(_MarketTable)
_raw = msgspec.json.Decoder(_RawTable)
_row = msgspec.json.Decoder(MarketRow)
_master = msgspec.json.Decoder(list[msgspec.Raw])
_master_row = msgspec.json.Decoder(_MasterRow)

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not JSON of the wanted shape."""

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
        except BadValue as error:
            name = f"{shown(row.scrip_cd)} #{number}"
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
        except (BadValue, *_UNREADABLE) as error:
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
    content = body.strip()
    if not content:
        raise MalformedAnswer("empty", "no body")
    if content.startswith(b"<"):
        raise MalformedAnswer("html", "a page instead of data")
    if content == b"null":
        raise MalformedAnswer("null", "the answer is null")
    return body


def _malformed(error: Exception) -> MalformedAnswer:
    """JSON of another shape, or no JSON: then it was most likely cut."""
    is_json = isinstance(error, msgspec.ValidationError | UnicodeDecodeError)
    too_deep = isinstance(error, RecursionError)
    return MalformedAnswer("shape" if is_json or too_deep else "truncated", str(error))


def _instrument(row: _MasterRow) -> Instrument:
    symbol = text(row.scrip_id).upper()
    if not symbol:
        raise BadValue("no scrip_id")
    return Instrument(
        code(row.SCRIP_CD),
        symbol,
        text(row.ISIN_NUMBER).upper(),
        text(row.Scrip_Name),
        text(row.GROUP),
    )


def _read_row(row: MarketRow, answer: MarketAnswer) -> None:
    scrip = code(row.scrip_cd)
    if scrip in answer.seen:
        raise BadValue("the scrip is listed twice")
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
            fields[number] = paise(value, name, drift)
    if fields.get(_LAST) is None:
        raise BadValue("no last price")
    high, low = fields.get(_HIGH), fields.get(_LOW)
    if isinstance(high, int) and isinstance(low, int) and high < low:
        raise BadValue(f"high {high} below low {low} (paise)")
    _read_activity(row, fields, drift)
    answer.seen[scrip] = fields
    if row.scripname is msgspec.UNSET:
        drift["missing:scripname"] = drift.get("missing:scripname", 0) + 1
    answer.instruments[scrip] = Instrument(
        scrip,
        text(row.scripname).upper(),
        "",
        text(row.LONG_NAME),
        text(row.scrip_grp),
        _indices(row.index_code),
    )


@lru_cache(maxsize=4096)
def _indices(value: object) -> str:
    """The indices of a row: `|S&P BSE 500|,|BSE SENSEX|` is `500|SENSEX`."""
    names = (
        value[:INDICES_MAX].replace("|", "").split(",")
        if isinstance(value, str)
        else []
    )
    known = (index_name(name) for name in names)
    return "|".join(name for name in known if name)


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
            fields[number] = count(value, unit, name, drift)
    if isinstance(row.dt_tm, str):
        fields[_TIME] = time_ms(row.dt_tm)
    else:
        drift["missing:dt_tm"] = drift.get("missing:dt_tm", 0) + 1
