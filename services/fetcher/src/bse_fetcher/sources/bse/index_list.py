"""`GetSensexData`: the indices, as text with Indian commas and explicit signs. Pure."""

import msgspec

from bse_fetcher.sources.answer import IndexAnswer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, count_drift, json_of, malformed
from bse_fetcher.sources.bse.scrip import minutes_ms
from bse_fetcher.sources.bse.values import CODE_DIGITS_MAX, paise, text
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import BadValue
from bse_shared.quotes.instrument import index_name
from bse_shared.wire.records import IndexRecord


class _Row(msgspec.Struct):
    indxnm: object = msgspec.UNSET
    ltp: object = msgspec.UNSET
    indxcode: object = msgspec.UNSET
    I_open: object = msgspec.UNSET
    High: object = msgspec.UNSET
    Low: object = msgspec.UNSET
    Prev_Close: object = msgspec.UNSET
    dttm: object = msgspec.UNSET


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_row = msgspec.json.Decoder(_Row)
_MEMBERS = _Row.__struct_fields__


def read_indices(body: bytes, received_at_ms: int) -> IndexAnswer:
    """The indices; bad rows are named. Raises MalformedAnswer for the whole."""
    try:
        raws = _rows.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error
    answer = IndexAnswer()
    for number, raw in enumerate(raws):
        try:
            row = _row.decode(raw)
            _count_drift(row, answer.drift)
            record = _record(row, received_at_ms)
        except (BadValue, *UNREADABLE) as error:
            answer.rejected.append(Rejected(f"#{number}", str(error)))
            continue
        if record.name in answer.indices:
            answer.rejected.append(Rejected(f"#{number}", f"{record.name} twice"))
        else:
            answer.indices[record.name] = record
    if not answer.indices:
        raise MalformedAnswer("empty", f"no usable row of {len(raws)}")
    return answer


def _count_drift(row: _Row, drift: dict[str, int]) -> None:
    for name in _MEMBERS:
        value = getattr(row, name)
        if value is msgspec.UNSET:
            count_drift(drift, f"missing:{name}")
        elif not isinstance(value, str | None):
            count_drift(drift, f"retyped:{name}")


def _record(row: _Row, received_at_ms: int) -> IndexRecord:
    last, name = _points(row.ltp), index_name(text(row.indxnm))
    if last is None or not name:
        raise BadValue("an index has a name and a value")
    high, low = _points(row.High), _points(row.Low)
    if high is not None and low is not None and high < low:
        raise BadValue(f"{name}: high {high} below low {low} (hundredths)")
    return IndexRecord(
        name=name,
        code=_code(row.indxcode),
        last=last,
        open=_points(row.I_open),
        high=high,
        low=low,
        previous_close=_points(row.Prev_Close),
        exchange_time_ms=None if row.dttm is msgspec.UNSET else minutes_ms(row.dttm),
        received_at_ms=received_at_ms,
    )


def _code(value: object) -> int:
    """The index's number; 0 where it is none."""
    digits = text(str(value) if type(value) is int else value)
    is_number = digits.isascii() and digits.isdigit()
    return int(digits) if is_number and len(digits) <= CODE_DIGITS_MAX else 0


def _points(value: object) -> int | None:
    # Hundredths of a point are written, and bounded, as paise are.
    return None if value is msgspec.UNSET else paise(value, "index", {})
