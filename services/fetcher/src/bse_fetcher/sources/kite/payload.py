"""The broker's JSON of `GET /quote`, the only file that knows it. Pure.

Times are IST without zone. An empty level of the book has price and quantity 0; `ohlc.close` is the last day's.
"""

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import (
    UNREADABLE,
    count_drift,
    drift_of,
    json_of,
    malformed,
)
from bse_fetcher.sources.bse.values import time_ms
from bse_fetcher.sources.errors import ExchangeUnavailable
from bse_fetcher.sources.money import PAISE_MAX, BadValue, shown, whole_paise
from bse_shared.quotes.quote import NUMBER, Condition, Levels, Source, Value


LEVELS_MAX = 5
PRICES_KEPT = 1 << 16
"""Prices whose paise are remembered: five levels on two sides of some thousand scrips."""
COUNT_MAX = 2**53

_SOURCE, _CONDITION = NUMBER["source"], NUMBER["condition"]
_LAST, _AVERAGE = NUMBER["last_paise"], NUMBER["average_price_paise"]
_OPEN, _HIGH, _LOW = (NUMBER[f"{name}_paise"] for name in ("open", "high", "low"))
_CLOSE = NUMBER["previous_close_paise"]
_VOLUME, _TIME = NUMBER["volume"], NUMBER["exchange_time_ms"]
_LOWER, _UPPER = NUMBER["lower_circuit_paise"], NUMBER["upper_circuit_paise"]
_BID, _ASK = NUMBER["bid_paise"], NUMBER["ask_paise"]
_BID_QUANTITY, _ASK_QUANTITY = NUMBER["bid_quantity"], NUMBER["ask_quantity"]
_BIDS, _ASKS = NUMBER["bids"], NUMBER["asks"]
_BROKER, _GOOD = int(Source.BROKER), int(Condition.GOOD)


class _Day(msgspec.Struct, gc=False):
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0


class _Level(msgspec.Struct, gc=False):
    price: float
    quantity: int


class _Depth(msgspec.Struct, gc=False):
    buy: list[_Level] = []
    sell: list[_Level] = []


Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class _Row(msgspec.Struct, gc=False):
    last_price: float
    volume: int | Unset | None = UNSET
    average_price: float | Unset | None = UNSET
    last_trade_time: str | Unset | None = UNSET
    lower_circuit_limit: float | Unset | None = UNSET
    upper_circuit_limit: float | Unset | None = UNSET
    ohlc: _Day | Unset | None = UNSET
    depth: _Depth | Unset | None = UNSET


class _Body(msgspec.Struct):
    status: str
    data: dict[str, msgspec.Raw] | None = None
    message: str = ""


class _TypedBody(msgspec.Struct):
    status: str
    data: dict[str, _Row]


_typed = msgspec.json.Decoder(_TypedBody)
_body = msgspec.json.Decoder(_Body)
_row = msgspec.json.Decoder(_Row)
_MEMBERS = _Row.__struct_fields__
_figures = attrgetter(*_MEMBERS)


def read_quotes(body: bytes, codes: Mapping[str, int]) -> Answer:
    """What the broker says of the scrips asked for (`codes` by its key). Raises ExchangeError for the whole."""
    body = json_of(body)
    answer = Answer()
    try:
        for key, row in _rows(body, answer):
            try:
                _take(key, row, codes, answer)
            except BadValue as error:
                answer.rejected.append(Rejected(shown(key), str(error)))
    except UNREADABLE as error:
        raise malformed(error) from error
    return answer


def _rows(body: bytes, answer: Answer) -> list[tuple[str, _Row]]:
    """All rows that have the right types; the others are named."""
    try:
        typed = _typed.decode(body)
        if typed.status == "success":
            return list(typed.data.items())
    except msgspec.ValidationError:
        pass
    return _rows_one_by_one(_body.decode(body), answer)


def _rows_one_by_one(found: _Body, answer: Answer) -> list[tuple[str, _Row]]:
    if found.status != "success" or found.data is None:
        raise ExchangeUnavailable("server_error", shown(found.message))
    rows = []
    for key, raw in found.data.items():
        try:
            rows.append((key, _row.decode(raw)))
        except UNREADABLE as error:
            if what := drift_of(error):
                count_drift(answer.drift, what)
            answer.rejected.append(Rejected(shown(key), str(error)))
    return rows


def _take(key: str, row: _Row, codes: Mapping[str, int], answer: Answer) -> None:
    code = codes.get(key)
    if code is None:
        raise BadValue("was not asked for")
    fields: dict[int, Value] = {
        _LAST: _named(row.last_price, "last_price"),
        _SOURCE: _BROKER,
        _CONDITION: _GOOD,
    }
    if fields[_LAST] is None:
        raise BadValue("no last price")
    _take_figures(row, fields)
    if isinstance(row.ohlc, _Day):
        _take_day(row.ohlc, fields)
    if isinstance(row.depth, _Depth):
        _take_depth(row.depth, fields)
    answer.seen[code] = fields
    if UNSET in _figures(row):
        for name in _MEMBERS:
            if getattr(row, name) is UNSET:
                count_drift(answer.drift, f"missing:{name}")


def _take_figures(row: _Row, fields: dict[int, Value]) -> None:
    volume, average = row.volume, row.average_price
    if isinstance(volume, int):
        fields[_VOLUME] = _count(volume)
    if isinstance(average, float):
        if not 0 <= average * 100 <= PAISE_MAX:
            raise BadValue(f"average {shown(average)}")
        # An average is no price on a tick: it has as many decimals as the broker likes.
        fields[_AVERAGE] = round(average * 100) or None
    if isinstance(row.last_trade_time, str):
        fields[_TIME] = time_ms(row.last_trade_time)
    lower, upper = row.lower_circuit_limit, row.upper_circuit_limit
    if isinstance(lower, float):
        fields[_LOWER] = _named(lower, "lower limit")
    if isinstance(upper, float):
        fields[_UPPER] = _named(upper, "upper limit")


def _take_day(day: _Day, fields: dict[int, Value]) -> None:
    """Open, high, low and the last close."""
    try:
        opened, close = _paise(day.open), _paise(day.close)
        high, low = _paise(day.high), _paise(day.low)
    except BadValue:
        told = shown((day.open, day.high, day.low, day.close))
        raise BadValue(f"day {told}") from None
    if high is not None and low is not None and low > high:
        raise BadValue(f"high {high} below low {low} (paise)")
    fields[_OPEN], fields[_HIGH] = opened, high
    fields[_LOW], fields[_CLOSE] = low, close


def _take_depth(depth: _Depth, fields: dict[int, Value]) -> None:
    bids, asks = _levels(depth.buy), _levels(depth.sell)
    fields[_BIDS], fields[_ASKS] = bids, asks
    fields[_BID], fields[_BID_QUANTITY] = bids[0] if bids else (None, None)
    fields[_ASK], fields[_ASK_QUANTITY] = asks[0] if asks else (None, None)


def _levels(levels: list[_Level]) -> Levels:
    """The levels that are not empty."""
    found = []
    if len(levels) > LEVELS_MAX:
        levels = levels[:LEVELS_MAX]
    for level in levels:
        try:
            paise, quantity = _paise(level.price), level.quantity
        except BadValue:
            raise BadValue(f"level {shown(level.price)}") from None
        if not 0 <= quantity < COUNT_MAX:
            raise BadValue(f"count {shown(quantity)}")
        if paise is not None:
            found.append((paise, quantity))
    return tuple(found)


@lru_cache(PRICES_KEPT)
def _paise(rupees: float) -> int | None:
    """As `whole_paise`. A book's prices come again and again."""
    return whole_paise(rupees, "price")


def _named(rupees: float, name: str) -> int | None:
    try:
        return _paise(rupees)
    except BadValue:
        return whole_paise(rupees, name)  # raises it with the name


def _count(value: int) -> int:
    if not 0 <= value < COUNT_MAX:
        raise BadValue(f"count {shown(value)}")
    return value
