"""`/udf/*`: a TradingView datafeed (Universal Data Feed), for charts that speak it.

Bars of days stand at midnight UTC of their date, as the protocol wants it. Errors have the protocol's shape (`{"s": "error"}`) where the protocol asks for one, and are problems elsewhere.
"""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import Field

from bse_gateway.calendar_follower import CalendarFollower
from bse_gateway.candle_reader import CandleReader
from bse_gateway.candle_series import Interval
from bse_gateway.derived import change_of
from bse_gateway.lookup import Lookup, Miss, QuoteView, distinct
from bse_gateway.rest.contract import problems
from bse_gateway.rest.decimal_json import encoded, rupees
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.quotes import check_count
from bse_gateway.rest.replies import Percent, Reply, Rupees
from bse_gateway.trading_days import holidays, trading_day
from bse_shared.quotes.candles import Candle
from bse_shared.quotes.instrument import Instrument
from bse_shared.sessions.session import (
    IST_OFFSET_MS,
    MINUTE_MS,
    Phase,
    day_number,
)


EXCHANGE = "BSE"
_INTERVALS = {
    "1": Interval.MINUTE,
    "5": Interval.FIVE_MINUTES,
    "15": Interval.QUARTER,
    "60": Interval.HOUR,
    "1D": Interval.DAY,
    "D": Interval.DAY,
}
INTRADAY = ["1", "5", "15", "60"]
RESOLUTIONS = [*INTRADAY, "1D"]
PRICE_SCALE = 100
"""Prices are shown in hundredths of a rupee."""
FOUND_MAX, QUOTES_MAX = 30, 100

DAYS_LOOKED_MAX = 14
"""Within so many days from any there is a normal one."""


ChartSymbol = Annotated[
    str,
    Query(max_length=64, openapi_examples={"symbol": {"value": "BSE:RELIANCE"}}),
]


class UdfErrorReply(Reply):
    """The protocol's error."""

    s: Literal["error"]
    errmsg: str


class UdfNoDataReply(Reply):
    """No bars in the range."""

    s: Literal["no_data"]
    nextTime: int | None = Field(  # noqa: N815 - the protocol's name
        None, description="when the last bar before the range began, in seconds"
    )


class UdfBarsReply(Reply):
    """Bars by time, a list for each member; times in seconds."""

    s: Literal["ok"]
    t: list[int]
    o: list[Rupees]
    h: list[Rupees]
    l: list[Rupees]  # noqa: E741 - the protocol's name
    c: list[Rupees]
    v: list[int]


class UdfChoiceReply(Reply):
    """One choice of a list."""

    value: str
    name: str
    desc: str = ""


class UdfConfigReply(Reply):
    """What the datafeed can do."""

    supports_search: bool
    supports_group_request: bool
    supports_marks: bool
    supports_timescale_marks: bool
    supports_time: bool
    supported_resolutions: list[str]
    exchanges: list[UdfChoiceReply]
    symbols_types: list[UdfChoiceReply]


class UdfSymbolReply(Reply):
    """How a chart is to show a scrip."""

    name: str = Field(examples=["RELIANCE"])
    ticker: str
    description: str
    type: str
    exchange: str
    listed_exchange: str
    timezone: str
    session: str = Field(examples=["0915-1530"])
    session_holidays: str = Field(examples=["20261225"])
    minmov: int
    pricescale: int
    currency_code: str
    has_intraday: bool
    intraday_multipliers: list[str]
    supported_resolutions: list[str]


class UdfFoundReply(Reply):
    """One match."""

    symbol: str
    full_name: str
    description: str
    exchange: str
    ticker: str
    type: str


class UdfValues(Reply):
    """A quote in the protocol's names, and how far it may be trusted. What is unknown is left out."""

    short_name: str | None = None
    exchange: str | None = None
    description: str | None = None
    lp: Rupees | None = None
    ch: Rupees | None = None
    chp: Percent | None = None
    ask: Rupees | None = None
    bid: Rupees | None = None
    open_price: Rupees | None = None
    high_price: Rupees | None = None
    low_price: Rupees | None = None
    prev_close_price: Rupees | None = None
    volume: int | None = None
    original_name: str | None = None
    quality: str | None = None


class UdfQuoteReply(Reply):
    """One scrip's quote, or that there is none."""

    s: Literal["ok", "error"]
    n: str = Field(description="the symbol as you sent it")
    v: UdfValues


class UdfQuotesReply(Reply):
    """Quotes in the order asked."""

    s: Literal["ok"]
    d: list[UdfQuoteReply]


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
        seconds = self._lookup.moment().now_ms // 1000
        return Response(str(seconds), media_type="text/plain")

    async def symbols(self, symbol: ChartSymbol) -> Response:
        """How a chart is to show a scrip."""
        now_ms = self._lookup.moment().now_ms
        found = self._lookup.scrip(_without_exchange(symbol))
        if isinstance(found, Miss):
            return _json({"s": "error", "errmsg": "unknown_symbol"}, 404)
        return _json(self._described(found, now_ms))

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
            found = self._lookup.quote(_without_exchange(identifier), moment)
            told.append(_quote(identifier, found))
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
        scrip = self._lookup.scrip(_without_exchange(symbol))
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

    def _described(self, scrip: Instrument, now_ms: int) -> dict[str, Any]:
        today = dt.date.fromordinal(day_number(now_ms))
        closed = [
            day.date.strftime("%Y%m%d")
            for day in holidays(self._follower.calendar, today.year)
            if not day.is_trading_day
        ]
        return {
            "name": scrip.symbol,
            "ticker": scrip.symbol,
            "description": scrip.name or scrip.symbol,
            "type": "stock",
            "exchange": EXCHANGE,
            "listed_exchange": EXCHANGE,
            "timezone": "Asia/Kolkata",
            "session": self._session(today),
            "session_holidays": ",".join(closed),
            "minmov": 1,
            "pricescale": PRICE_SCALE,
            "currency_code": "INR",
            "has_intraday": True,
            "intraday_multipliers": INTRADAY,
            "supported_resolutions": RESOLUTIONS,
        }

    def _session(self, today: dt.date) -> str:
        """The continuous session of the next normal day, as `0915-1530`."""
        for ahead in range(DAYS_LOOKED_MAX):
            day = trading_day(self._follower.calendar, today + dt.timedelta(days=ahead))
            for phase, starts_ms, ends_ms in day.sessions:
                if phase is Phase.OPEN and not day.special:
                    return f"{_clock(starts_ms)}-{_clock(ends_ms)}"
        return "24x7"


def _ahead_ms(interval: Interval) -> int:
    """How far the protocol's time of a candle is ahead of its beginning: a day is a date, at midnight UTC."""
    return IST_OFFSET_MS if interval is Interval.DAY else 0


def _time(candle: Candle, interval: Interval) -> int:
    return (candle.start_ms + _ahead_ms(interval)) // 1000


def _clock(at_ms: int) -> str:
    minutes = (at_ms + IST_OFFSET_MS) // MINUTE_MS % (24 * 60)
    return f"{minutes // 60:02d}{minutes % 60:02d}"


def _quote(identifier: str, found: QuoteView | Miss) -> dict[str, Any]:
    if isinstance(found, Miss):
        return {"s": "error", "n": found.symbol, "v": {}}
    quote, change = found.image.quote, change_of(found.image.quote)
    values = {
        "short_name": found.instrument.symbol,
        "exchange": EXCHANGE,
        "description": found.instrument.name or found.instrument.symbol,
        "lp": rupees(quote.last_paise),
        "ch": rupees(change.paise),
        "chp": rupees(change.basis_points),
        "ask": rupees(quote.ask_paise),
        "bid": rupees(quote.bid_paise),
        "open_price": rupees(quote.open_paise),
        "high_price": rupees(quote.high_paise),
        "low_price": rupees(quote.low_paise),
        "prev_close_price": rupees(quote.previous_close_paise),
        "volume": quote.volume,
        "original_name": f"{EXCHANGE}:{found.instrument.symbol}",
        "quality": found.trust.quality,
    }
    known = {name: value for name, value in values.items() if value is not None}
    return {"s": "ok", "n": identifier, "v": known}


def _without_exchange(symbol: str) -> str:
    """Charts put the exchange before a symbol."""
    exchange, colon, rest = symbol.partition(":")
    return rest if colon and exchange.upper() == EXCHANGE else symbol


def _json(content: Any, status: int = 200) -> Response:
    return Response(encoded(content), status, media_type="application/json")


def add_udf_routes(app: FastAPI, door: UdfDoor) -> None:
    """Add the routes."""
    bad = problems(Kind.INVALID_REQUEST, Kind.NOT_READY)
    counted = problems(
        Kind.INVALID_REQUEST, Kind.NO_SYMBOLS, Kind.TOO_MANY_SYMBOLS, Kind.NOT_READY
    )
    unknown: dict[int | str, dict[str, Any]] = {
        404: {"model": UdfErrorReply, "description": "No such scrip"}
    }
    away = problems(Kind.NOT_READY, Kind.STORE_UNAVAILABLE)
    text: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    for name, endpoint, summary, model, responses in (
        ("config", door.config, "What the datafeed can do", UdfConfigReply, {}),
        ("time", door.time, "Server time in seconds", None, {**text, **bad}),
        (
            "symbols",
            door.symbols,
            "How to show a scrip",
            UdfSymbolReply,
            {**unknown, **bad},
        ),
        ("search", door.search, "Find scrips", list[UdfFoundReply], bad),
        ("quotes", door.quotes, "Quotes", UdfQuotesReply, counted),
        (
            "history",
            door.history,
            "Bars",
            UdfBarsReply | UdfNoDataReply,
            {**unknown, **bad, 503: away[503]},
        ),
    ):
        app.router.add_api_route(
            f"/udf/{name}",
            endpoint,
            name=f"udf_{name}",
            summary=summary,
            response_model=model,
            response_class=PlainTextResponse if model is None else JSONResponse,
            responses=responses,
            tags=["charts (UDF)"],
        )
