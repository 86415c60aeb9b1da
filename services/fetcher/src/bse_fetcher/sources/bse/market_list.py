"""`GetMktData`: the whole market in one answer, 4,300 rows every three seconds. Pure.

Three ways, each to the same result. A row that equals the scrip's row in the last answer is not read again:
its fields are the very same object, which the shard writer knows. A row with the types that BSE sends is read
fast. All else (a member gone or retyped, a value that can't be) is left to `market_row`, row by row.

An answer of megabytes is a while on its way. Its rows are read meanwhile, piece by piece, so that little is left to do
when its last byte comes.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.bse.market_row import MarketRow, instrument_of, read_row
from bse_fetcher.sources.bse.typed_row import Known, TypedRow, fields_of, same_name
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import BadValue, shown


PIECE_BYTES = 64 * 1024
"""So much is read at one go while the rest is on its way: some 120 rows, a third of a millisecond."""

_OPENING = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"Table"\s*:\s*\[')
_BETWEEN_ROWS = b"},{"
_CLOSING = b"]}"


class _RawTable(msgspec.Struct):
    Table: list[msgspec.Raw]


class _TypedTable(msgspec.Struct):
    Table: list[TypedRow]


_typed = msgspec.json.Decoder(_TypedTable)
_typed_rows = msgspec.json.Decoder(list[TypedRow])
_raw = msgspec.json.Decoder(_RawTable)
_row = msgspec.json.Decoder(MarketRow)
_MEMBERS = TypedRow.__struct_fields__

Learn = Callable[[dict[int, Known]], None]


class MarketReader:
    """Reads one answer after the other, and remembers the last row of each scrip."""

    def __init__(self, piece_bytes: int = PIECE_BYTES) -> None:
        self._known: dict[int, Known] = {}
        self._piece_bytes = piece_bytes

    def reading(self) -> "MarketReading":
        """An answer that begins to come."""
        return MarketReading(self._known, self._learn, self._piece_bytes)

    def read(self, body: bytes) -> Answer:
        """An answer that is all there (see `MarketReading.read`)."""
        reading = self.reading()
        reading.take(body)
        return reading.read()

    def _learn(self, known: dict[int, Known]) -> None:
        self._known = known


class MarketReading:
    """One answer, read while it comes.

    The pieces are lists of rows, cut where a row seems to end. That guess may be wrong (text that looks like it, a
    table within a row), but then what was cut off is no JSON, and the body is read as a whole when it is all there:
    pieces that are all lists of rows make the list that they were cut from.
    """

    def __init__(self, known: dict[int, Known], learn: Learn, piece_bytes: int) -> None:
        self._known = known
        self._learn = learn
        self._piece_bytes = piece_bytes
        self._chunks: list[bytes] = []
        self.unread = b""
        """What came and was not looked at yet, while it is read in pieces."""
        self._begun = False
        self._in_pieces = True
        self._rows = _Rows(known)

    def take(self, chunk: bytes) -> None:
        """The next bytes. They are left alone until more come: nothing stands between the last and its time stamp."""
        if self._in_pieces and len(self.unread) >= self._piece_bytes:
            self._in_pieces = self._read_piece()
        self._chunks.append(chunk)
        self.unread = self.unread + chunk if self._in_pieces else b""

    def read(self) -> Answer:
        """What the answer says, once it is all there. Bad rows are named in `rejected`; `instruments` tells only of
        scrips whose names differ from the last answer. Raises MalformedAnswer for the whole.
        """
        if not (self._begun and self._read_end()):
            self._rows = _Rows(self._known)
            body = json_of(b"".join(self._chunks))
            try:
                rows = _typed.decode(body).Table
            except (msgspec.ValidationError, UnicodeDecodeError):
                self._learn({})
                return _read_patiently(body)
            except UNREADABLE as error:
                raise malformed(error) from error
            if not rows:
                raise MalformedAnswer("empty", "no rows")
            self._rows.add(rows)
        self._learn(self._rows.known)
        return self._rows.answer

    def _read_piece(self) -> bool:
        """Read the rows that are there; whether it is an answer that can be read in pieces."""
        rest = self.unread
        if not self._begun:
            opening = _OPENING.match(rest)
            if opening is None:
                return False
            self._begun, rest = True, rest[opening.end() :]
        ends = rest.rfind(_BETWEEN_ROWS) + 1
        self.unread = rest[ends + 1 :]
        return ends > 0 and self._add(rest[:ends])

    def _read_end(self) -> bool:
        end = self.unread.rstrip()
        return end.endswith(_CLOSING) and self._add(end.removesuffix(_CLOSING))

    def _add(self, rows: bytes) -> bool:
        try:
            self._rows.add(_typed_rows.decode(b"[" + rows + b"]"))
        except UNREADABLE:
            return False
        return True


class _Rows:
    """What the rows of an answer say, so far."""

    def __init__(self, before: dict[int, Known]) -> None:
        self.answer = Answer()
        self.known: dict[int, Known] = {}
        self._before = before
        self._count = 0

    def add(self, rows: Sequence[TypedRow]) -> None:
        """The next rows."""
        answer, known, before = self.answer, self.known, self._before
        seen = answer.seen
        for number, row in enumerate(rows, self._count):
            code = row.scrip_cd
            if code in seen:
                _take(_patient(row), number, answer)  # names the second row
                continue
            held = before.get(code)
            if held is not None and held[0] == row:
                known[code] = held
                seen[code] = held[1]
                continue
            fields = fields_of(row, held)
            if fields is None:
                _take(_patient(row), number, answer)
                continue
            seen[code] = fields
            known[code] = (row, fields)
            if held is None or not same_name(held[0], row):
                answer.instruments[code] = instrument_of(
                    code, row.scripname, row.LONG_NAME, row.scrip_grp, row.index_code
                )
        self._count += len(rows)


def read_market(body: bytes) -> Answer:
    """One answer by itself. Raises MalformedAnswer for the whole."""
    return MarketReader().read(body)


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
