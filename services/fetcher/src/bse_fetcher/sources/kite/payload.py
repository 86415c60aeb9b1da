"""The broker's JSON of `GET /quote`, the only file that knows it. Pure.

Times are IST without zone. An empty level of the book has price and quantity 0; `ohlc.close` is the last day's.
"""

from collections.abc import Mapping

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.bse.values import time_ms
from bse_fetcher.sources.errors import ExchangeUnavailable
from bse_fetcher.sources.money import PAISE_MAX, BadValue, shown, whole_paise
from bse_shared.quotes.quote import NUMBER, Condition, Levels, Source, Value


LEVELS_MAX = 5
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


class _Row(msgspec.Struct, gc=False):
    last_price: float
    volume: int | None = None
    average_price: float | None = None
    last_trade_time: str | None = None
    lower_circuit_limit: float | None = None
    upper_circuit_limit: float | None = None
    ohlc: _Day | None = None
    depth: _Depth | None = None


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
    except msgspec.ValidationError:
        found = _body.decode(body)
        if found.status != "success" or found.data is None:
            raise ExchangeUnavailable("server_error", shown(found.message)) from None
        rows = []
        for key, raw in found.data.items():
            try:
                rows.append((key, _row.decode(raw)))
            except UNREADABLE as error:
                answer.rejected.append(Rejected(shown(key), str(error)))
        return rows
    return list(typed.data.items())


def _take(key: str, row: _Row, codes: Mapping[str, int], answer: Answer) -> None:
    code = codes.get(key)
    if code is None:
        raise BadValue("was not asked for")
    fields: dict[int, Value] = {
        _LAST: whole_paise(row.last_price, "last_price"),
        _SOURCE: _BROKER,
        _CONDITION: _GOOD,
    }
    if fields[_LAST] is None:
        raise BadValue("no last price")
    if row.volume is not None:
        fields[_VOLUME] = _count(row.volume)
    if row.average_price is not None:
        # An average is no price on a tick: it has as many decimals as the broker likes.
        fields[_AVERAGE] = round(row.average_price * 100) or None
    if row.last_trade_time:
        fields[_TIME] = time_ms(row.last_trade_time)
    if row.lower_circuit_limit is not None:
        fields[_LOWER] = whole_paise(row.lower_circuit_limit, "lower limit")
    if row.upper_circuit_limit is not None:
        fields[_UPPER] = whole_paise(row.upper_circuit_limit, "upper limit")
    if row.ohlc is not None:
        _take_day(row.ohlc, fields)
    if row.depth is not None:
        _take_depth(row.depth, fields)
    answer.seen[code] = fields


def _take_day(day: _Day, fields: dict[int, Value]) -> None:
    """Open, high, low and the last close: `whole_paise` and the bounds, without calls."""
    opened, high = round(day.open * 100), round(day.high * 100)
    low, close = round(day.low * 100), round(day.close * 100)
    if (
        opened / 100 != day.open
        or high / 100 != day.high
        or low / 100 != day.low
        or close / 100 != day.close
        or not (0 <= low <= PAISE_MAX and 0 <= high <= PAISE_MAX)
        or not (0 <= opened <= PAISE_MAX and 0 <= close <= PAISE_MAX)
    ):
        raise BadValue(f"day {shown((day.open, day.high, day.low, day.close))}")
    if low > high > 0:
        raise BadValue(f"high {high} below low {low} (paise)")
    fields[_OPEN], fields[_HIGH] = opened or None, high or None
    fields[_LOW], fields[_CLOSE] = low or None, close or None


def _take_depth(depth: _Depth, fields: dict[int, Value]) -> None:
    bids, asks = _levels(depth.buy), _levels(depth.sell)
    fields[_BIDS], fields[_ASKS] = bids, asks
    fields[_BID], fields[_BID_QUANTITY] = bids[0] if bids else (None, None)
    fields[_ASK], fields[_ASK_QUANTITY] = asks[0] if asks else (None, None)


def _levels(levels: list[_Level]) -> Levels:
    """The levels that are not empty. Ten a row: `whole_paise`, and the bounds, without calls."""
    found = []
    if len(levels) > LEVELS_MAX:
        levels = levels[:LEVELS_MAX]
    for level in levels:
        rupees, quantity = level.price, level.quantity
        paise = round(rupees * 100)
        if paise / 100 != rupees or not 0 <= paise <= PAISE_MAX:
            raise BadValue(f"level {shown(rupees)}")
        if not 0 <= quantity < COUNT_MAX:
            raise BadValue(f"count {shown(quantity)}")
        if paise:
            found.append((paise, quantity))
    return tuple(found)


def _count(value: int) -> int:
    if not 0 <= value < COUNT_MAX:
        raise BadValue(f"count {shown(value)}")
    return value
