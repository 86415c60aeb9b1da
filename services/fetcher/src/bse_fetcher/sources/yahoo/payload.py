"""Yahoo's JSON of `v7/finance/quote`, the only file that knows it. Pure.

A symbol may come without any price, an unknown one does not come at all; prices may carry the noise of single
precision; what is delayed says so.
"""

from collections.abc import Mapping

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import (
    UNREADABLE,
    count_drift,
    drift_of,
    json_of,
    malformed,
)
from bse_fetcher.sources.errors import ExchangeUnavailable
from bse_fetcher.sources.money import BadValue, nearest_paise, shown
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


Number = int | float | None
Told = Number | msgspec.UnsetType

_PRICES = {
    "regular_market_price": NUMBER["last_paise"],
    "regular_market_open": NUMBER["open_paise"],
    "regular_market_day_high": NUMBER["high_paise"],
    "regular_market_day_low": NUMBER["low_paise"],
    "regular_market_previous_close": NUMBER["previous_close_paise"],
    "fifty_two_week_high": NUMBER["high_52_week_paise"],
    "fifty_two_week_low": NUMBER["low_52_week_paise"],
}
_LAST, _VOLUME, _TIME = (
    NUMBER[name] for name in ("last_paise", "volume", "exchange_time_ms")
)
_HIGH, _LOW = NUMBER["high_paise"], NUMBER["low_paise"]
_SECONDS_MIN, _SECONDS_MAX = 631_152_000, 10**10
"""From 1990 on: what is earlier means that nobody ever traded."""
_VOLUME_MAX = 2**53


class _Row(msgspec.Struct, rename="camel"):
    symbol: str
    currency: str = ""
    regular_market_price: Told = msgspec.UNSET
    regular_market_open: Told = msgspec.UNSET
    regular_market_day_high: Told = msgspec.UNSET
    regular_market_day_low: Told = msgspec.UNSET
    regular_market_previous_close: Told = msgspec.UNSET
    regular_market_volume: Told = msgspec.UNSET
    regular_market_time: Told = msgspec.UNSET
    fifty_two_week_high: Told = msgspec.UNSET
    fifty_two_week_low: Told = msgspec.UNSET
    exchange_data_delayed_by: Told = msgspec.UNSET


class _Response(msgspec.Struct):
    result: list[msgspec.Raw] | None = None
    error: object = None


class _Body(msgspec.Struct, rename="camel"):
    quote_response: _Response


_body = msgspec.json.Decoder(_Body)
_row = msgspec.json.Decoder(_Row)
_MEMBERS = dict(zip(_Row.__struct_fields__, _Row.__struct_encode_fields__, strict=True))


def read_quotes(body: bytes, codes: Mapping[str, int]) -> Answer:
    """What Yahoo says of the symbols asked for (`codes` by Yahoo's symbol). Raises ExchangeError for the whole."""
    try:
        response = _body.decode(json_of(body)).quote_response
    except UNREADABLE as error:
        raise malformed(error) from error
    if response.error is not None or response.result is None:
        raise ExchangeUnavailable("server_error", shown(response.error))
    answer = Answer()
    for number, raw in enumerate(response.result):
        try:
            _take(_row.decode(raw), codes, answer)
        except (BadValue, *UNREADABLE) as error:
            if what := drift_of(error):
                count_drift(answer.drift, what)
            answer.rejected.append(Rejected(f"#{number}", str(error)))
    return answer


def _take(row: _Row, codes: Mapping[str, int], answer: Answer) -> None:
    code = codes.get(row.symbol)
    if code is None or code in answer.seen:
        raise BadValue(f"{shown(row.symbol)} was not asked for, or comes twice")
    if row.currency != "INR":
        raise BadValue(f"{shown(row.symbol)} is in {shown(row.currency)}")
    is_delayed = row.exchange_data_delayed_by != 0
    fields: dict[int, Value] = {
        NUMBER["source"]: int(Source.YAHOO),
        NUMBER["condition"]: int(Condition.DELAYED if is_delayed else Condition.GOOD),
    }
    for name, number in _PRICES.items():
        value: Told = getattr(row, name)
        if value is not None and value is not msgspec.UNSET:
            fields[number] = nearest_paise(value, name)
    if fields.get(_LAST) is None:
        raise BadValue(f"{shown(row.symbol)} has no price")
    high, low = fields.get(_HIGH), fields.get(_LOW)
    if isinstance(high, int) and isinstance(low, int) and high < low:
        raise BadValue(f"{shown(row.symbol)}: high {high} below low {low} (paise)")
    _take_activity(row, fields)
    answer.seen[code] = fields
    for name, member in _MEMBERS.items():
        if getattr(row, name) is msgspec.UNSET:
            count_drift(answer.drift, f"missing:{member}")


def _take_activity(row: _Row, fields: dict[int, Value]) -> None:
    volume, second = row.regular_market_volume, row.regular_market_time
    if isinstance(volume, int | float):
        fields[_VOLUME] = _whole(volume, _VOLUME_MAX, "volume")
    if not isinstance(second, int | float) or 0 <= second < _SECONDS_MIN:
        raise BadValue(f"{shown(row.symbol)} has no time")
    fields[_TIME] = _whole(second, _SECONDS_MAX, "time") * 1000


def _whole(value: float, limit: int, name: str) -> int:
    if not 0 <= value < limit or value != int(value):
        raise BadValue(f"{name} {shown(value)}")
    return int(value)
