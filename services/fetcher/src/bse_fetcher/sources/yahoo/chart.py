"""Yahoo's JSON of `v8/finance/chart` with bars of a minute, the only file that knows it. Pure.

Any value of a bar may be null, then nobody traded; without any bar there are no times at all. The last bar may be
that of the minute under way, and stand at an odd second.
"""

import msgspec

from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.errors import ExchangeUnavailable, MalformedAnswer
from bse_fetcher.sources.money import BadValue, nearest_paise, shown
from bse_shared.quotes.candles import MINUTE_MS, Candle, CandleFlag


BARS_MAX = 1000
SECONDS_MAX = 10**10
VOLUME_MAX = 2**53

Numbers = list[int | float | None]


class _Meta(msgspec.Struct, rename="camel"):
    symbol: str
    currency: str
    regular_market_time: int


class _Bars(msgspec.Struct):
    open: Numbers = []
    high: Numbers = []
    low: Numbers = []
    close: Numbers = []
    volume: Numbers = []


class _Indicators(msgspec.Struct):
    quote: list[_Bars]


class _Result(msgspec.Struct):
    meta: _Meta
    indicators: _Indicators
    timestamp: list[int] = []


class _Chart(msgspec.Struct):
    result: list[_Result] | None = None
    error: object = None


class _Body(msgspec.Struct):
    chart: _Chart


_body = msgspec.json.Decoder(_Body)


def read_chart(body: bytes, symbol: str) -> list[Candle]:
    """The finished minutes by time, flagged FILLED; a bar that can't be is left out. Raises ExchangeError."""
    try:
        chart = _body.decode(json_of(body)).chart
    except UNREADABLE as error:
        raise malformed(error) from error
    if isinstance(chart.error, dict) and chart.error.get("code") == "Not Found":
        return []
    if chart.error is not None or not chart.result:
        raise ExchangeUnavailable("server_error", shown(chart.error))
    (result, *_) = chart.result
    if result.meta.symbol != symbol or result.meta.currency != "INR":
        raise MalformedAnswer("shape", f"{shown(result.meta.symbol)} is not {symbol}")
    if not result.indicators.quote:
        raise MalformedAnswer("shape", "no bars")
    return _candles(result)


def _candles(result: _Result) -> list[Candle]:
    bars = result.indicators.quote[0]
    # The minute of the last trade may still be under way.
    under_way_ms = result.meta.regular_market_time * 1000
    under_way_ms -= under_way_ms % MINUTE_MS
    candles: dict[int, Candle] = {}
    rows = zip(
        result.timestamp[:BARS_MAX],
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.volume,
        strict=False,
    )
    for second, *values in rows:
        start_ms = second * 1000
        if start_ms % MINUTE_MS or not 0 < start_ms < under_way_ms:
            continue
        try:
            candle = _candle(start_ms, *values)
        except BadValue:
            continue
        if candle is not None:
            candles[start_ms] = candle
    return [candles[start_ms] for start_ms in sorted(candles)]


def _candle(start_ms: int, *values: float | None) -> Candle | None:
    if None in values:
        return None
    *prices, traded = (value for value in values if value is not None)
    opened, high, low, close = (nearest_paise(price, "bar") for price in prices)
    if opened is None or high is None or low is None or close is None:
        raise BadValue("a bar without a price")
    if not low <= min(opened, close) <= max(opened, close) <= high:
        raise BadValue(f"bar {shown(prices)}")
    if not 0 <= traded < VOLUME_MAX or traded != int(traded):
        raise BadValue(f"volume {shown(traded)}")
    return Candle(
        start_ms, opened, high, low, close, int(traded), int(CandleFlag.FILLED)
    )
