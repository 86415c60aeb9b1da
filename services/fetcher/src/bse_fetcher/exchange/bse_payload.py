"""The only file that knows BSE's JSON: an answer's bytes to fields of quotes, and the rows it rejects.

Pure. `GetMktData` rows carry JSON numbers; BSE's other answers carry strings with Indian commas, so both are
read everywhere, and a number that came as a string is counted as drift. Money never passes through float
arithmetic beyond the one rounding that turns the parsed number into paise.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import msgspec

from bse_fetcher.exchange.errors import MalformedAnswer
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


Scalar = int | float | str | bool | None

PAISE_MAX = 9_999_999_999
"""Ten digits; beyond it a price is absurd (MRF, the dearest share, has seven in paise)."""

CODE_MAX = 9_999_999
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
    SCRIP_CD: str
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
    """A whole-market answer: fields by scrip code and field number, who the scrips are, and what was wrong."""

    seen: dict[int, dict[int, Value]] = field(default_factory=dict)
    instruments: dict[int, Instrument] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    drift: dict[str, int] = field(default_factory=dict)


class _BadValue(ValueError):
    """A value that no quote can have."""


_market = msgspec.json.Decoder(_MarketTable)
_raw = msgspec.json.Decoder(_RawTable)
_row = msgspec.json.Decoder(MarketRow)
_master = msgspec.json.Decoder(list[_MasterRow])

_PRICES = (
    ("ltradert", NUMBER["last_paise"]),
    ("openrate", NUMBER["open_paise"]),
    ("highrate", NUMBER["high_paise"]),
    ("lowrate", NUMBER["low_paise"]),
    ("prevdayclose", NUMBER["previous_close_paise"]),
)
_LAST, _HIGH, _LOW = (
    NUMBER[name] for name in ("last_paise", "high_paise", "low_paise")
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
    for number, row in enumerate(_market_rows(body, answer)):
        try:
            _read_row(row, answer)
        except _BadValue as error:
            answer.rejected.append(Rejected(f"{row.scrip_cd!r} #{number}", str(error)))
    return answer


def read_master(body: bytes) -> list[Instrument]:
    """The answer of `ListofScripData`. Raises MalformedAnswer."""
    _refuse_non_json(body)
    try:
        rows = _master.decode(body)
    except msgspec.DecodeError as error:
        raise MalformedAnswer("shape", str(error)) from error
    return [
        Instrument(
            int(row.SCRIP_CD),
            row.scrip_id.strip().upper(),
            (row.ISIN_NUMBER or "").strip().upper(),
            (row.Scrip_Name or "").strip(),
            (row.GROUP or "").strip(),
        )
        for row in rows
        if row.SCRIP_CD.isdigit() and row.scrip_id.strip()
    ]


def _market_rows(body: bytes, answer: MarketAnswer) -> list[MarketRow]:
    _refuse_non_json(body)
    try:
        rows = _market.decode(body).Table
    except msgspec.ValidationError:
        # Some row is not what it should be: read row by row, so that the good ones go through.
        rows = list(_rows_one_by_one(body, answer))
    except msgspec.DecodeError as error:
        raise MalformedAnswer("truncated", str(error)) from error
    if not rows:
        raise MalformedAnswer("empty", "no rows")
    return rows


def _rows_one_by_one(body: bytes, answer: MarketAnswer) -> list[MarketRow]:
    try:
        raws = _raw.decode(body).Table
    except msgspec.DecodeError as error:
        raise MalformedAnswer("shape", str(error)) from error
    rows = []
    for number, raw in enumerate(raws):
        try:
            rows.append(_row.decode(raw))
        except msgspec.DecodeError as error:
            answer.rejected.append(Rejected(f"#{number}", str(error)))
    return rows


def _refuse_non_json(body: bytes) -> None:
    start = body[:64].lstrip()
    if not start:
        raise MalformedAnswer("empty", "no body")
    if start.startswith(b"<"):
        raise MalformedAnswer("html", "a page instead of data")
    if body.strip(b" \r\n\t") == b"null":
        raise MalformedAnswer("null", "the answer is null")


def _read_row(row: MarketRow, answer: MarketAnswer) -> None:
    code = _code(row.scrip_cd)
    if code in answer.seen:
        raise _BadValue("the scrip is listed twice")
    drift = answer.drift
    fields: dict[int, Value] = {_SOURCE: Source.BSE, _CONDITION: Condition.GOOD}
    for name, number in _PRICES:
        value = getattr(row, name)
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
    answer.instruments[code] = Instrument(
        code,
        str(row.scripname).strip().upper() if row.scripname else str(code),
        "",
        str(row.LONG_NAME).strip() if row.LONG_NAME else "",
        str(row.scrip_grp).strip() if row.scrip_grp else "",
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
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    if type(value) is not int or not 0 < value <= CODE_MAX:
        raise _BadValue(f"scrip code {value!r}")
    return value


def _paise(value: object, name: str, drift: dict[str, int]) -> int | None:
    """Rupees as paise; None for no value (0.00 means no trade on record)."""
    if type(value) is not float and type(value) is not int:
        value = _number(value, name, drift)
        if value is None:
            return None
    scaled = value * 100
    if not 0 <= scaled <= PAISE_MAX:
        raise _BadValue(f"{name} {value!r}")
    paise = round(scaled)
    # A double holds two decimals of ten digits exactly enough; what is further off is no price.
    if abs(scaled - paise) > 1e-3:  # noqa: PLR2004 - a thousandth of a paisa
        raise _BadValue(f"{name} {value!r} is not in whole paise")
    return paise or None


def _count(value: object, unit: int, name: str, drift: dict[str, int]) -> int | None:
    if type(value) is not float and type(value) is not int:
        value = _number(value, name, drift)
        if value is None:
            return None
    scaled = value * unit
    if not 0 <= scaled < 2**53:
        raise _BadValue(f"{name} {value!r}")
    return round(scaled)


def _number(value: object, name: str, drift: dict[str, int]) -> float | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _BadValue(f"{name} {value!r}")
    drift[f"retyped:{name}"] = drift.get(f"retyped:{name}", 0) + 1
    text = value.strip().replace(",", "")
    if text in NO_VALUE:
        return None
    try:
        return float(text)
    except ValueError:
        raise _BadValue(f"{name} {value!r}") from None


@lru_cache(maxsize=8192)
def _time_ms(text: str) -> int:
    """IST without zone, to the second, as epoch milliseconds."""
    try:
        at = datetime.fromisoformat(text + "+00:00")
    except ValueError:
        raise _BadValue(f"dt_tm {text!r}") from None
    return int(at.timestamp()) * 1000 - IST_OFFSET_MS
