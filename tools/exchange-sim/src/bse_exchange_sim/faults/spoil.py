"""Spoils a good JSON body the way a fault asks (pure).

Rows are those of `Table` or of a list; other answers count as one row, in which a
field is looked for at any depth.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from bse_exchange_sim.answers.numbers import HUNDRED, indian
from bse_exchange_sim.faults.kinds import FaultRequest


_ABSURD = 99_999_999.95
_STAMPS = {
    "dt_tm": "%Y-%m-%dT%H:%M:%S",
    "Ason": "%d %b %y | %H:%M",
    "dttm": "%d %b %y | %H:%M",
    "last_trade_time": "%Y-%m-%d %H:%M:%S",
    "regularMarketTime": "",  # seconds
}
_PRICES = ("ltradert", "LTP", "last_price", "regularMarketPrice")
_HOUR_S = 3600

_BAD_VALUES: dict[str, dict[str, object]] = {
    "negative_price": {
        "ltradert": -1.05,
        "LTP": "-1.05",
        "last_price": -1.05,
        "regularMarketPrice": -1.05,
    },
    "nan_text": {
        "ltradert": "NaN",
        "LTP": "NaN",
        "last_price": "NaN",
        "regularMarketPrice": "NaN",
    },
    "absurd_price": {
        "ltradert": _ABSURD,
        "LTP": str(_ABSURD),
        "last_price": _ABSURD,
        "regularMarketPrice": _ABSURD,
    },
    "zero_code": {"scrip_cd": 0, "EquityScrips": "0"},
}

Row = Any  # decoded JSON of any shape: that is the point of these faults


def spoil(request: FaultRequest, body: bytes) -> bytes:
    """Return the body with the fault in it."""
    if request.kind == "truncated":
        return body[: len(body) // 2]
    document = msgspec.json.decode(body)
    rows = _rows(document)
    if not rows:
        return body
    _SPOILERS[request.kind](request, rows)
    return msgspec.json.encode(rows[0] if _is_bare(document) else document)


def _rows(document: Row) -> list[Row]:
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        table = document.get("Table")
        return table if isinstance(table, list) else [document]
    return []


def _is_bare(document: Row) -> bool:
    """Tell whether the whole answer is one object, not a list or a table."""
    return isinstance(document, dict) and not isinstance(document.get("Table"), list)


def _place(request: FaultRequest, rows: list[Row]) -> int:
    """Return which row a one-row fault hits: the asked scrip's, else the first."""
    for place, row in enumerate(rows):
        if isinstance(row, dict) and row.get("scrip_cd") == request.scripcode:
            return place
    return 0


def _hit(request: FaultRequest, rows: list[Row]) -> list[Row]:
    return rows if request.rows == "all" else [rows[_place(request, rows)]]


def _objects(row: Row) -> Iterator[dict[str, Row]]:
    """Yield the row and all objects inside it."""
    if isinstance(row, dict):
        yield row
        for value in row.values():
            yield from _objects(value)
    elif isinstance(row, list):
        for value in row:
            yield from _objects(value)


def _missing_field(request: FaultRequest, rows: list[Row]) -> None:
    for row in _hit(request, rows):
        for each in list(_objects(row)):
            each.pop(request.field, None)


def _changed_type(request: FaultRequest, rows: list[Row]) -> None:
    for row in _hit(request, rows):
        for each in _objects(row):
            if request.field in each:
                each[request.field] = _as_text(each[request.field], request)


def _as_text(value: Row, request: FaultRequest) -> str:
    if request.to == "commas" and isinstance(value, int | float):
        return indian(int(Decimal(str(value)) * HUNDRED))
    return "not available"


def _bad_row(request: FaultRequest, rows: list[Row]) -> None:
    place = _place(request, rows)
    row = rows[place]
    if request.problem == "not_object" or not isinstance(row, dict):
        rows[place] = "row"
        return
    changes = _BAD_VALUES[request.problem]
    for each in _objects(row):
        each.update({key: changes[key] for key in changes if key in each})


def _duplicate_row(request: FaultRequest, rows: list[Row]) -> None:
    rows.append(rows[_place(request, rows)])


def _clock_back(request: FaultRequest, rows: list[Row]) -> None:
    for row in rows:
        for each in _objects(row):
            for key, layout in _STAMPS.items():
                if key in each:
                    each[key] = _earlier(each[key], layout, request.hours)


def _earlier(stamp: Row, layout: str, hours: int) -> Row:
    if isinstance(stamp, int):
        return stamp - hours * _HOUR_S
    try:
        when = datetime.strptime(stamp, layout)  # noqa: DTZ007 - only moved and written again
    except (TypeError, ValueError):
        return stamp
    return (when - timedelta(hours=hours)).strftime(layout)


def _shifted_price(request: FaultRequest, rows: list[Row]) -> None:
    """Move the last prices by some percent, in whole paise: the rest of the row still looks right."""
    for row in _hit(request, rows):
        for each in _objects(row):
            for name in _PRICES:
                value = each.get(name)
                if isinstance(value, int | float):
                    each[name] = round(value * (1 + request.percent / 100), 2)


_SPOILERS: dict[str, Callable[[FaultRequest, list[Row]], None]] = {
    "missing_field": _missing_field,
    "changed_type": _changed_type,
    "bad_row": _bad_row,
    "duplicate_row": _duplicate_row,
    "clock_back": _clock_back,
    "shifted_price": _shifted_price,
}
