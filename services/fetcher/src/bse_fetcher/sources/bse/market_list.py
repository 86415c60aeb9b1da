"""`GetMktData`: the whole market in one answer, 4,300 rows every three seconds. Pure.

Three ways, each to the same result. A row that equals the scrip's row in the last answer is not read again:
its fields are the very same object, which the shard writer knows. A row with the types that BSE sends is read
fast. All else (a member gone or retyped, a value that can't be) is left to `market_row`, row by row.
"""

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.bse.market_row import (
    BSE,
    CONDITION,
    GOOD,
    HIGH,
    LAST,
    LOW,
    OPEN,
    PAISE_PER_LAKH_RUPEES,
    PREVIOUS_CLOSE,
    SOURCE,
    TIME,
    TRADES,
    TURNOVER,
    VOLUME,
    MarketRow,
    instrument_of,
    read_row,
)
from bse_fetcher.sources.bse.values import CODE_MAX, time_ms
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import PAISE_MAX, BadValue, shown
from bse_shared.quotes.quote import Value


PAISE_PER_HUNDREDTH_LAKH = PAISE_PER_LAKH_RUPEES // 100
HUNDREDTHS_LAKH_MAX = 10**10
VOLUME_MAX = 2**53


class TypedRow(msgspec.Struct, gc=False):
    """A row as BSE sends it: every member there, every one of its usual type.

    What most often differs comes first: comparing two rows ends there.
    """

    trd_vol: int
    dt_tm: str
    ltradert: float
    trd_val: float
    nooftrd: int
    highrate: float
    lowrate: float
    openrate: float
    prevdayclose: float
    scrip_cd: int
    scripname: str
    LONG_NAME: str
    scrip_grp: str
    index_code: str


class _TypedTable(msgspec.Struct):
    Table: list[TypedRow]


class _RawTable(msgspec.Struct):
    Table: list[msgspec.Raw]


_typed = msgspec.json.Decoder(_TypedTable)
_raw = msgspec.json.Decoder(_RawTable)
_row = msgspec.json.Decoder(MarketRow)
_MEMBERS = TypedRow.__struct_fields__

Known = tuple[TypedRow, dict[int, Value]]


class MarketReader:
    """Reads one answer after the other, and remembers the last row of each scrip."""

    def __init__(self) -> None:
        self._known: dict[int, Known] = {}

    def read(self, body: bytes) -> Answer:
        """The answer of `GetMktData`. Bad rows are named in `rejected`; `instruments` tells only of scrips
        whose names differ from the last answer. Raises MalformedAnswer for the whole.
        """
        body = json_of(body)
        try:
            rows = _typed.decode(body).Table
        except (msgspec.ValidationError, UnicodeDecodeError):
            self._known = {}
            return _read_patiently(body)
        except UNREADABLE as error:
            raise malformed(error) from error
        if not rows:
            raise MalformedAnswer("empty", "no rows")
        return self._read(rows)

    def _read(self, rows: list[TypedRow]) -> Answer:
        answer = Answer()
        seen, known, now_known = answer.seen, self._known, {}
        for number, row in enumerate(rows):
            code = row.scrip_cd
            if code in seen:
                _take(_patient(row), number, answer)  # names the second row
                continue
            held = known.get(code)
            if held is not None and held[0] == row:
                now_known[code] = held
                seen[code] = held[1]
                continue
            fields = _fields(row, held)
            if fields is None:
                _take(_patient(row), number, answer)
                continue
            seen[code] = fields
            now_known[code] = (row, fields)
            if held is None or not _same_name(held[0], row):
                answer.instruments[code] = instrument_of(
                    code, row.scripname, row.LONG_NAME, row.scrip_grp, row.index_code
                )
        self._known = now_known
        return answer


def read_market(body: bytes) -> Answer:
    """One answer by itself. Raises MalformedAnswer for the whole."""
    return MarketReader().read(body)


def _same_name(old: TypedRow, new: TypedRow) -> bool:
    return (
        old.scripname == new.scripname
        and old.LONG_NAME == new.LONG_NAME
        and old.scrip_grp == new.scrip_grp
        and old.index_code == new.index_code
    )


def _fields(row: TypedRow, held: Known | None) -> dict[int, Value] | None:  # noqa: PLR0911 - one guard a member
    """The fields of a row without any doubt; None where `market_row` has to look.

    A price is taken as the whole paise nearest to it, and only if these, divided by a hundred, give back the
    very double that the parser made of BSE's digits: then no other two decimals could have been meant.
    """
    price, lakhs = row.ltradert, row.trd_val
    last, lakh = round(price * 100), round(lakhs * 100)
    if last / 100 != price or lakh / 100 != lakhs:
        return None
    if not (0 < last <= PAISE_MAX and 0 <= lakh < HUNDREDTHS_LAKH_MAX):
        return None
    if not (0 <= row.trd_vol < VOLUME_MAX and 0 <= row.nooftrd < VOLUME_MAX):
        return None
    if not 0 < row.scrip_cd <= CODE_MAX:
        return None
    day = _day(row, held)
    if day is None:
        return None
    high, low, opened, closed = day
    try:
        at_ms = time_ms(row.dt_tm)
    except BadValue:
        return None
    return {
        LAST: last,
        VOLUME: row.trd_vol,
        TURNOVER: lakh * PAISE_PER_HUNDREDTH_LAKH,
        TRADES: row.nooftrd,
        TIME: at_ms,
        HIGH: high,
        LOW: low,
        OPEN: opened,
        PREVIOUS_CLOSE: closed,
        SOURCE: BSE,
        CONDITION: GOOD,
    }


def _day(row: TypedRow, held: Known | None) -> tuple[Value, ...] | None:
    """High, low, open and last close; None where there is any doubt. They seldom move: what was read once is not
    read again.
    """
    if held is not None and (
        (old := held[0]).highrate == row.highrate
        and old.lowrate == row.lowrate
        and old.openrate == row.openrate
        and old.prevdayclose == row.prevdayclose
    ):
        known = held[1]
        return known[HIGH], known[LOW], known[OPEN], known[PREVIOUS_CLOSE]
    high, low = round(row.highrate * 100), round(row.lowrate * 100)
    opened, closed = round(row.openrate * 100), round(row.prevdayclose * 100)
    if high / 100 != row.highrate or low / 100 != row.lowrate:
        return None
    if opened / 100 != row.openrate or closed / 100 != row.prevdayclose:
        return None
    if not (0 < low <= high <= PAISE_MAX):
        return None
    if not (0 < opened <= PAISE_MAX and 0 < closed <= PAISE_MAX):
        return None
    return high, low, opened, closed


def _take(row: MarketRow, number: int, answer: Answer) -> None:
    """Read a row with patience, or name it."""
    try:
        read_row(row, answer)
    except BadValue as error:
        name = f"{shown(row.scrip_cd)} #{number}"
        answer.rejected.append(Rejected(name, str(error)))


def _patient(row: TypedRow) -> MarketRow:
    return MarketRow(**{name: getattr(row, name) for name in _MEMBERS})


def _read_patiently(body: bytes) -> Answer:
    try:
        raws = _raw.decode(body).Table
    except UNREADABLE as error:
        raise malformed(error) from error
    if not raws:
        raise MalformedAnswer("empty", "no rows")
    answer = Answer()
    for number, raw in enumerate(raws):
        try:
            row = _row.decode(raw)
        except UNREADABLE as error:
            answer.rejected.append(Rejected(f"#{number}", str(error)))
        else:
            _take(row, number, answer)
    return answer
