"""`GET /api/stock/{symbol}` and `GET /api/stocks/batch`: quotes out of memory, as bytes."""

from typing import Any

from fastapi import FastAPI, Request, Response

from bse_gateway.lookup import Lookup, Miss, Moment, QuoteView, distinct
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.rest.conditional import batch_tag, is_held, quote_tag
from bse_gateway.rest.contract import problems
from bse_gateway.rest.lean_route import LeanRoute
from bse_gateway.rest.problems import Kind, Problem, problem_of
from bse_gateway.rest.quote_json import SettledQuotes, batch_json
from bse_gateway.rest.quote_msgpack import batch_msgpack, quote_msgpack
from bse_gateway.rest.replies import BatchReply, QuoteReply


JSON = "application/json"
MSGPACK = "application/msgpack"


class QuoteDoor:
    """The two quote routes."""

    def __init__(self, lookup: Lookup, metrics: GatewayMetrics, symbols_max: int):
        self._lookup = lookup
        self._metrics = metrics
        self._symbols_max = symbols_max
        self._settled = SettledQuotes()

    async def one(self, request: Request) -> Response:
        """One quote. Send the ETag back as `If-None-Match`, and get 304 while nothing but its age changed."""
        found = self._quote(request.path_params["symbol"], self._lookup.moment())
        if isinstance(found, Miss):
            raise problem_of(found)
        encoding = _encoding(request)
        tag = quote_tag(found, self._lookup.master_version, encoding)
        if is_held(request.headers.get("if-none-match"), tag):
            return self._not_modified(tag)
        body = (
            quote_msgpack(found) if encoding is MSGPACK else self._settled.json(found)
        )
        return _answer(body, encoding, tag)

    async def many(self, request: Request) -> Response:
        """Quotes of several scrips at one instant. A scrip named twice comes once; unknown ones are in `errors`."""
        identifiers = self._identifiers(request)
        moment = self._lookup.moment()
        quotes: dict[int, QuoteView] = {}
        errors: list[Miss] = []
        for identifier in identifiers:
            found = self._quote(identifier, moment)
            if isinstance(found, Miss):
                errors.append(found)
            else:
                quotes[found.instrument.code] = found
        encoding = _encoding(request)
        tag = self._batch_tag(quotes, errors, encoding)
        if is_held(request.headers.get("if-none-match"), tag):
            return self._not_modified(tag)
        views = quotes.values()
        if encoding is MSGPACK:
            return _answer(batch_msgpack(views, errors, moment.now_ms), encoding, tag)
        written = [self._settled.json(view) for view in views]
        return _answer(batch_json(written, errors, moment.now_ms), encoding, tag)

    def _identifiers(self, request: Request) -> list[str]:
        given = request.query_params.getlist("symbols")
        if not given:
            raise Problem(
                Kind.MISSING_PARAMETER, "Name scrips in `symbols`.", parameter="symbols"
            )
        if len(given) > 1:
            raise Problem(
                Kind.REPEATED_PARAMETER,
                "Give `symbols` once, separated by commas.",
                parameter="symbols",
            )
        identifiers = distinct(given[0])
        check_count(identifiers, self._symbols_max)
        return identifiers

    def _quote(self, identifier: str, moment: Moment) -> QuoteView | Miss:
        found = self._lookup.quote(identifier, moment)
        if isinstance(found, Miss):
            self._metrics.misses[found.reason].inc()
        else:
            self._metrics.hits.inc()
        return found

    def _batch_tag(
        self, quotes: dict[int, QuoteView], errors: list[Miss], encoding: str
    ) -> str:
        version = self._lookup.master_version
        return batch_tag(
            (quote_tag(view, version, encoding) for view in quotes.values()),
            (f"{miss.reason}:{miss.symbol}" for miss in errors),
        )

    def _not_modified(self, tag: str) -> Response:
        self._metrics.not_modified.inc()
        return Response(None, 304, _cache_headers(tag))


def check_count(symbols: list[str], symbols_max: int) -> None:
    """Raise the problem of a list without scrips, or with too many."""
    if not symbols:
        raise Problem(Kind.NO_SYMBOLS, "Name at least one scrip.")
    if len(symbols) > symbols_max:
        raise Problem(
            Kind.TOO_MANY_SYMBOLS,
            f"{len(symbols)} scrips, at most {symbols_max} in one request.",
            limit=symbols_max,
            count=len(symbols),
        )


def add_quote_routes(app: FastAPI, door: QuoteDoor) -> None:
    """Put the routes first: they are asked most."""
    app.router.add_api_route(
        "/api/stock/{symbol}",
        door.one,
        name="read_quote",
        summary="One scrip's quote",
        response_model=QuoteReply,
        responses={
            **_OK_TOO,
            **problems(
                Kind.UNKNOWN_SYMBOL, Kind.NO_QUOTE, Kind.INVALID_SYMBOL, Kind.NOT_READY
            ),
        },
        openapi_extra={"parameters": [_SYMBOL, _IF_NONE_MATCH]},
        route_class_override=LeanRoute,
        tags=["quotes"],
    )
    app.router.add_api_route(
        "/api/stocks/batch",
        door.many,
        name="read_quotes",
        summary="Quotes of several scrips",
        response_model=BatchReply,
        responses={
            **_OK_TOO,
            **problems(
                Kind.MISSING_PARAMETER,
                Kind.REPEATED_PARAMETER,
                Kind.NO_SYMBOLS,
                Kind.TOO_MANY_SYMBOLS,
                Kind.NOT_READY,
            ),
        },
        openapi_extra={"parameters": [_SYMBOLS, _IF_NONE_MATCH]},
        route_class_override=LeanRoute,
        tags=["quotes"],
    )


_OK_TOO: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MSGPACK: {
                "schema": {
                    "description": "The same members with integer paise: `last_paise` for `last`,"
                    " `change_paise`, `change_basis_points`."
                }
            }
        }
    },
    304: {"description": "You have this already (see If-None-Match)"},
}
_SYMBOL = {
    "name": "symbol",
    "in": "path",
    "required": True,
    "description": "symbol, scrip code or ISIN, in any case",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 40,
        "pattern": "^[!-~]+$",
    },
    "examples": {
        "symbol": {"value": "RELIANCE"},
        "scrip code": {"value": "500325"},
        "ISIN": {"value": "INE002A01018"},
    },
}
_SYMBOLS = {
    "name": "symbols",
    "in": "query",
    "required": True,
    "description": "identifiers separated by commas; write `&` of a symbol as `%26`",
    "schema": {"type": "string", "minLength": 1, "pattern": "[0-9A-Za-z]"},
    "example": "RELIANCE,532540,INE009A01021",
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "the ETag of an earlier answer",
    "schema": {"type": "string"},
}


def _encoding(request: Request) -> str:
    return MSGPACK if MSGPACK in request.headers.get("accept", "") else JSON


def _cache_headers(tag: str) -> dict[str, str]:
    return {"etag": tag, "cache-control": "no-cache", "vary": "Accept"}


def _answer(body: bytes, encoding: str, tag: str) -> Response:
    return Response(body, 200, _cache_headers(tag), encoding)
