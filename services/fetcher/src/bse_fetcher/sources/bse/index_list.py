"""`GetSensexData`: the indices, as text with Indian commas and explicit signs. Pure."""

import msgspec

from bse_fetcher.sources.answer import Rejected
from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.bse.scrip import minutes_ms
from bse_fetcher.sources.bse.values import paise
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import BadValue
from bse_shared.quotes.instrument import index_name
from bse_shared.wire.records import IndexRecord


class _Row(msgspec.Struct):
    indxnm: str
    ltp: str
    indxcode: str = "0"
    I_open: str | None = None
    High: str | None = None
    Low: str | None = None
    Prev_Close: str | None = None
    dttm: str | None = None


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_row = msgspec.json.Decoder(_Row)


def read_indices(
    body: bytes, received_at_ms: int
) -> tuple[dict[str, IndexRecord], list[Rejected]]:
    """The indices by name (as the master names them), and the rows that were not taken. Raises MalformedAnswer."""
    try:
        raws = _rows.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error
    found: dict[str, IndexRecord] = {}
    rejected = []
    for number, raw in enumerate(raws):
        try:
            record = _record(_row.decode(raw), received_at_ms)
        except (BadValue, *UNREADABLE) as error:
            rejected.append(Rejected(f"#{number}", str(error)))
        else:
            found[record.name] = record
    if not found:
        raise MalformedAnswer("empty", f"no usable row of {len(raws)}")
    return found, rejected


def _record(row: _Row, received_at_ms: int) -> IndexRecord:
    last, name = _points(row.ltp), index_name(row.indxnm)
    if last is None or not name:
        raise BadValue("an index has a name and a value")
    code = row.indxcode
    return IndexRecord(
        name=name,
        code=int(code) if code.isascii() and code.isdigit() else 0,
        last=last,
        open=_points(row.I_open),
        high=_points(row.High),
        low=_points(row.Low),
        previous_close=_points(row.Prev_Close),
        exchange_time_ms=minutes_ms(row.dttm),
        received_at_ms=received_at_ms,
    )


def _points(text: str | None) -> int | None:
    # Hundredths of a point are written, and bounded, as paise are.
    return paise(text, "index", {})
