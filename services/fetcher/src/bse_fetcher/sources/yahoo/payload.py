"""Yahoo's JSON of `v7/finance/quote`, the only file that knows it. Pure.

A symbol may come without any price, an unknown one does not come at all; prices may carry the noise of single
precision; what is delayed says so.
"""

from collections.abc import Mapping

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.errors import ExchangeUnavailable
from bse_fetcher.sources.money import BadValue, nearest_paise, shown
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


Number = int | float | None

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
_SECONDS_MAX = 10**10
_VOLUME_MAX = 2**53


class _Row(msgspec.Struct, rename="camel"):
    symbol: str
    currency: str = ""
    regular_market_price: Number = None
    regular_market_open: Number = None
    regular_market_day_high: Number = None
    regular_market_day_low: Number = None
    regular_market_previous_close: Number = None
    regular_market_volume: Number = None
    regular_market_time: Number = None
    fifty_two_week_high: Number = None
    fifty_two_week_low: Number = None
    exchange_data_delayed_by: Number = None


class _Response(msgspec.Struct):
    result: list[msgspec.Raw] | None = None
    error: object = None


class _Body(msgspec.Struct, rename="camel"):
    quote_response: _Response


_body = msgspec.json.Decoder(_Body)
_row = msgspec.json.Decoder(_Row)


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
        value: Number = getattr(row, name)
        if value is not None:
            fields[number] = nearest_paise(value, name)
    if fields.get(_LAST) is None:
        raise BadValue(f"{shown(row.symbol)} has no price")
    if row.regular_market_volume is not None:
        fields[_VOLUME] = _whole(row.regular_market_volume, _VOLUME_MAX, "volume")
    if row.regular_market_time is None:
        raise BadValue(f"{shown(row.symbol)} has no time")
    fields[_TIME] = _whole(row.regular_market_time, _SECONDS_MAX, "time") * 1000
    answer.seen[code] = fields


def _whole(value: float, limit: int, name: str) -> int:
    if not 0 <= value < limit or value != int(value):
        raise BadValue(f"{name} {shown(value)}")
    return int(value)
