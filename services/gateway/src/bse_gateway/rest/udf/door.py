"""The datafeed's endpoints.

Bars of days stand at midnight UTC of their date, as the protocol wants it. Errors have the protocol's shape (`{"s": "error"}`)
where the protocol asks for one, and are problems elsewhere.
"""

from typing import Annotated, Any, Literal

from fastapi import Query, Response

from bse_gateway.calendar_follower import CalendarFollower
from bse_gateway.candle_reader import CandleReader
from bse_gateway.candle_series import Interval
from bse_gateway.identifiers import Miss, distinct
from bse_gateway.lookup import Lookup
from bse_gateway.rest.decimal_json import encoded, rupees
from bse_gateway.rest.quotes import check_count
from bse_gateway.rest.udf.symbols import (
    EXCHANGE,
    RESOLUTIONS,
    described,
    quote_of,
    without_exchange,
)
from bse_shared.quotes.candles import Candle
from bse_shared.sessions.session import IST_OFFSET_MS


_INTERVALS = {
    "1": Interval.MINUTE,
    "5": Interval.FIVE_MINUTES,
    "15": Interval.QUARTER,
    "60": Interval.HOUR,
    "1D": Interval.DAY,
    "D": Interval.DAY,
}
FOUND_MAX, QUOTES_MAX = 30, 100

ChartSymbol = Annotated[
    str,
    Query(max_length=64, openapi_examples={"symbol": {"value": "BSE:RELIANCE"}}),
]


class UdfDoor:
    """The routes."""

    def __init__(
        self, lookup: Lookup, candles: CandleReader, calendar: CalendarFollower
    ):
        self._lookup = lookup
        self._candles = candles
        self._follower = calendar

    async def config(self) -> Response:
        """What this datafeed can do."""
        return _json(
            {
                "supports_search": True,
                "supports_group_request": False,
                "supports_marks": False,
                "supports_timescale_marks": False,
                "supports_time": True,
                "supported_resolutions": RESOLUTIONS,
                "exchanges": [
                    {"value": EXCHANGE, "name": EXCHANGE, "desc": "BSE, Mumbai"}
                ],
                "symbols_types": [{"name": "Stock", "value": "stock"}],
            }
        )

    async def time(self) -> Response:
        """The store's clock in seconds, as text."""
        now_s = self._lookup.moment().now_ms // 1000
        return Response(str(now_s), media_type="text/plain")

    async def symbols(self, symbol: ChartSymbol) -> Response:
        """How a chart is to show a scrip."""
        now_ms = self._lookup.moment().now_ms
        found = self._lookup.scrip(without_exchange(symbol))
        if isinstance(found, Miss):
            return _json({"s": "error", "errmsg": "unknown_symbol"}, 404)
        return _json(described(found, self._follower.calendar, now_ms))

    async def search(
        self,
        query: Annotated[str, Query(max_length=60)] = "",
        limit: Annotated[int, Query(ge=1, le=FOUND_MAX)] = 30,
        type_: Annotated[str, Query(alias="type", max_length=20)] = "",
        exchange: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        """Scrips by what a person types."""
        self._lookup.moment()
        is_ours = exchange.upper() in {"", EXCHANGE} and type_ in {"", "stock"}
        found = self._lookup.index.search(query, limit) if is_ours else []
        return _json(
            [
                {
                    "symbol": each.symbol,
                    "full_name": f"{EXCHANGE}:{each.symbol}",
                    "description": each.name or each.symbol,
                    "exchange": EXCHANGE,
                    "ticker": each.symbol,
                    "type": "stock",
                }
                for each in found
            ]
        )

    async def quotes(
        self,
        symbols: Annotated[
            str,
            Query(
                max_length=4096,
                json_schema_extra={"pattern": r"[^\s,]"},
                openapi_examples={"two": {"value": "BSE:RELIANCE,BSE:TCS"}},
            ),
        ],
    ) -> Response:
        """Quotes of several scrips, in the protocol's names."""
        moment = self._lookup.moment()
        identifiers = distinct(symbols)
        check_count(identifiers, QUOTES_MAX)
        told = []
        for identifier in identifiers:
            found = self._lookup.quote(without_exchange(identifier), moment)
            told.append(quote_of(identifier, found))
        return _json({"s": "ok", "d": told})

    async def history(
        self,
        symbol: ChartSymbol,
        resolution: Annotated[
            Literal["1", "5", "15", "60", "1D", "D"],
            Query(openapi_examples={"day": {"value": "1D"}}),
        ],
        to: Annotated[
            int,
            Query(
                ge=0,
                le=2**40,
                description="seconds since 1970",
                openapi_examples={"time": {"value": 1795334400}},
            ),
        ],
        from_: Annotated[int, Query(alias="from", ge=0, le=2**40)] = 0,
        countback: Annotated[int, Query(ge=0, le=100_000)] = 0,
    ) -> Response:
        """Bars up to `to`: those from `from` on, or the last `countback`."""
        self._lookup.moment()
        scrip = self._lookup.scrip(without_exchange(symbol))
        if isinstance(scrip, Miss):
            return _json({"s": "error", "errmsg": "unknown_symbol"}, 404)
        interval = _INTERVALS[resolution]
        begin = 0 if countback else from_
        bars = await self._bars(scrip.code, interval, begin, to)
        if countback:
            bars = bars[-countback:]
        if not bars:
            before = await self._bars(scrip.code, interval, 0, min(begin, to))
            next_time = {"nextTime": _time(before[-1], interval)} if before else {}
            return _json({"s": "no_data", **next_time})
        return _json(
            {
                "s": "ok",
                "t": [_time(bar, interval) for bar in bars],
                "o": [rupees(bar.open_paise) for bar in bars],
                "h": [rupees(bar.high_paise) for bar in bars],
                "l": [rupees(bar.low_paise) for bar in bars],
                "c": [rupees(bar.close_paise) for bar in bars],
                "v": [bar.volume for bar in bars],
            }
        )

    async def _bars(
        self, code: int, interval: Interval, begin_s: int, end_s: int
    ) -> list[Candle]:
        """The candles between two times as the protocol counts them."""
        ahead_ms = _ahead_ms(interval)
        span = self._candles.span(
            code, interval, begin_s * 1000 - ahead_ms, end_s * 1000 - ahead_ms
        )
        return [each.candle for each in await self._candles.bars(code, interval, span)]


def _ahead_ms(interval: Interval) -> int:
    """How far the protocol's time of a candle is ahead of its beginning: a day is a date, at midnight UTC."""
    return IST_OFFSET_MS if interval is Interval.DAY else 0


def _time(candle: Candle, interval: Interval) -> int:
    return (candle.start_ms + _ahead_ms(interval)) // 1000


def _json(content: Any, status: int = 200) -> Response:
    return Response(encoded(content), status, media_type="application/json")
