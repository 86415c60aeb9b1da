"""`GET /api/stock/{symbol}/candles`: minutes and days of a scrip, with their gaps."""

from typing import Annotated

from fastapi import FastAPI, Query, Request, Response

from bse_gateway.candle_reader import Bar, CandleReader
from bse_gateway.candle_series import Interval
from bse_gateway.identifiers import Miss
from bse_gateway.lookup import Lookup
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.rest.conditional import digest_tag, is_held
from bse_gateway.rest.contract import problems
from bse_gateway.rest.decimal_json import encoded
from bse_gateway.rest.problems import Kind, problem_of
from bse_gateway.rest.quote_answers import CACHING
from bse_gateway.rest.replies.candles import CandlesReply
from bse_gateway.rest.symbol import Symbol
from bse_shared.quotes.candles import CandleFlag


TIME_MAX_MS = 4_102_444_800_000
"""The year 2100."""


_PAISE = [f".{paise:02d}" for paise in range(100)]
_GAP, _FILLED = int(CandleFlag.GAP), int(CandleFlag.FILLED)
"""As numbers: an enum's `&` makes an enum."""


class CandleDoor:
    """The route."""

    def __init__(self, lookup: Lookup, candles: CandleReader, metrics: GatewayMetrics):
        self._lookup = lookup
        self._candles = candles
        self._metrics = metrics

    async def candles(
        self,
        symbol: Symbol,
        request: Request,
        interval: Interval = Interval.MINUTE,
        from_ms: Annotated[
            int | None,
            Query(
                alias="from",
                ge=0,
                le=TIME_MAX_MS,
                description="epoch milliseconds; left out: the day of the last trade, for `1d` a year",
            ),
        ] = None,
        to_ms: Annotated[
            int | None,
            Query(
                alias="to",
                ge=0,
                le=TIME_MAX_MS,
                description="epoch milliseconds, not included",
            ),
        ] = None,
    ) -> Response:
        """Candles by time. Send the ETag back as `If-None-Match`, and get 304 while no candle was added or changed."""
        self._lookup.moment()
        scrip = self._lookup.scrip(symbol)
        if isinstance(scrip, Miss):
            raise problem_of(scrip)
        span = self._candles.span(scrip.code, interval, from_ms, to_ms)
        bars = await self._candles.bars(scrip.code, interval, span)
        head = encoded(
            {
                "symbol": scrip.symbol,
                "code": scrip.code,
                "interval": interval.value,
                "from_ms": span.from_ms,
                "to_ms": span.to_ms,
                "cut": span.cut,
            }
        )
        told = ",".join(map(candle_json, bars)).encode()
        body = b'%b,"candles":[%b]}' % (head[:-1], told)
        tag = digest_tag([body.decode()])
        headers = {"etag": tag, "cache-control": CACHING}
        if is_held(request.headers.get("if-none-match"), tag):
            self._metrics.not_modified.inc()
            return Response(None, 304, headers)
        return Response(body, 200, headers, "application/json")


def candle_json(bar: Bar) -> str:
    """One candle. By hand, for a day has hundreds; the fetcher keeps no price below zero."""
    start_ms, first, high, low, last, volume, flags = bar.candle
    return (
        f'{{"start_ms":{start_ms}'
        f',"open":{first // 100}{_PAISE[first % 100]}'
        f',"high":{high // 100}{_PAISE[high % 100]}'
        f',"low":{low // 100}{_PAISE[low % 100]}'
        f',"close":{last // 100}{_PAISE[last % 100]}'
        f',"volume":{volume}'
        f',"gap":{"true" if flags & _GAP else "false"}'
        f',"filled":{"true" if flags & _FILLED else "false"}'
        f',"complete":{"true" if bar.complete else "false"}}}'
    )


def add_candle_routes(app: FastAPI, door: CandleDoor) -> None:
    """Add the route."""
    app.router.add_api_route(
        "/api/stock/{symbol}/candles",
        door.candles,
        name="read_candles",
        summary="One scrip's candles",
        response_model=CandlesReply,
        responses={
            304: {"description": "You have this already (see If-None-Match)"},
            **problems(
                Kind.UNKNOWN_SYMBOL,
                Kind.INVALID_SYMBOL,
                Kind.INVALID_REQUEST,
                Kind.NOT_READY,
                Kind.STORE_UNAVAILABLE,
            ),
        },
        tags=["quotes"],
    )
