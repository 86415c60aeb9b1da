"""`GET /api/stock/{symbol}` and `GET /api/stocks/batch`: quotes out of memory, as bytes."""

from collections.abc import Iterable

from fastapi import FastAPI, Request, Response

from bse_gateway.identifiers import Miss, Reason, distinct
from bse_gateway.lookup import Named
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.on_demand import OnDemand
from bse_gateway.rest.conditional import is_held
from bse_gateway.rest.contract import problems
from bse_gateway.rest.lean_door import MANY, ONE
from bse_gateway.rest.lean_route import LeanRoute
from bse_gateway.rest.negotiation import media_type
from bse_gateway.rest.problems import Kind, Problem, echoed, problem_of
from bse_gateway.rest.quote_answers import CACHING, VARY, Answer, QuoteAnswers
from bse_gateway.rest.quote_parameters import (
    FIELDS,
    IF_NONE_MATCH,
    MODE,
    MODES,
    QUOTES_OK,
    SYMBOL,
    SYMBOLS,
)
from bse_gateway.rest.replies.quotes import BatchReply, PartialQuoteReply, QuoteReply
from bse_gateway.rest.shapes import Shape, shape_of
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.modes import Mode


class QuoteDoor:
    """The two quote routes, for all that the lean door leaves: refusals, mistakes, chosen members."""

    def __init__(
        self,
        answers: QuoteAnswers,
        on_demand: OnDemand,
        metrics: GatewayMetrics,
        symbols_max: int,
    ):
        self._answers = answers
        self._on_demand = on_demand
        self._metrics = metrics
        self._symbols_max = symbols_max

    async def one(self, request: Request) -> Response:
        """One quote. Send the ETag back as `If-None-Match`, and get 304 while nothing but its age changed."""
        return await self._found(
            request, request.path_params["symbol"], _shape(request)
        )

    async def many(self, request: Request) -> Response:
        """Quotes of several scrips at one instant. A scrip named twice comes once; unknown ones are in `errors`."""
        shape, named = _shape(request), self._named(request)
        found = self._answers.many(named, shape)
        missing = self._answers.missing(found)
        if missing and await self._on_demand.any_arrives(missing):
            found = self._answers.many(named, shape)
        return self._response(request, found)

    def listed(self, request: Request, scrips: Iterable[Instrument]) -> Response:
        """The quotes of these scrips, as a batch."""
        named: Named = [(scrip.symbol, scrip) for scrip in scrips]
        found = self._answers.many(named, _shape(request))
        return self._response(request, found)

    async def chosen(
        self, request: Request, identifier: str, names: frozenset[str]
    ) -> Response:
        """These members of one scrip's quote."""
        accepted = media_type(request.headers.get("accept", ""))
        return await self._found(request, identifier, shape_of(accepted, names))

    async def _found(self, request: Request, identifier: str, shape: Shape) -> Response:
        """One quote, asked for where it is not there yet. Raises the problem of one that does not come."""
        found = self._answers.one(identifier, shape)
        if isinstance(found, Miss) and found.reason is Reason.NO_QUOTE:
            scrip = self._answers.scrip(identifier)
            if not isinstance(scrip, Miss) and await self._on_demand.arrives(
                scrip.code
            ):
                found = self._answers.one(identifier, shape)
        if isinstance(found, Miss):
            self._metrics.looked_up(0, [found])
            raise problem_of(found)
        return self._response(request, found)

    def _named(self, request: Request) -> Named:
        symbols = request.query_params.get("symbols")
        if symbols is None:
            raise Problem(
                Kind.MISSING_PARAMETER, "Name scrips in `symbols`.", parameter="symbols"
            )
        check_count(distinct(symbols), self._symbols_max)
        return self._answers.named(symbols)

    def _response(self, request: Request, answer: Answer) -> Response:
        self._metrics.looked_up(answer.found, answer.misses)
        headers = {"etag": answer.tag, "cache-control": CACHING, "vary": VARY}
        if is_held(request.headers.get("if-none-match"), answer.tag):
            self._metrics.not_modified.inc()
            return Response(None, 304, headers)
        return Response(answer.body, 200, headers, answer.media_type)


def _shape(request: Request) -> Shape:
    """How the caller wants quotes written."""
    asked = request.query_params
    names = field_names(asked["fields"]) if "fields" in asked else None
    mode = mode_named(asked["mode"]) if "mode" in asked else None
    return shape_of(media_type(request.headers.get("accept", "")), names, mode)


def mode_named(name: str) -> Mode:
    """The mode. Raises the problem of one that there is not."""
    if name not in MODES:
        raise Problem(
            Kind.UNKNOWN_MODE, f"Quotes come in the modes {', '.join(MODES)}."
        )
    return Mode(name)


def field_names(chosen: str) -> frozenset[str]:
    """The members of a comma-separated list. Raises the problem of one that no quote has."""
    names = frozenset(chosen.split(","))
    unknown = names - QuoteReply.model_fields.keys()
    if unknown:
        raise Problem(
            Kind.UNKNOWN_FIELD,
            "Quotes have no such member; see the contract.",
            fields=echoed(unknown),
        )
    return names


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
        ONE,
        door.one,
        name="read_quote",
        summary="One scrip's quote",
        response_model=QuoteReply | PartialQuoteReply,
        responses={
            **QUOTES_OK,
            **problems(
                Kind.UNKNOWN_SYMBOL,
                Kind.NO_QUOTE,
                Kind.INVALID_SYMBOL,
                Kind.UNKNOWN_FIELD,
                Kind.UNKNOWN_MODE,
                Kind.NOT_READY,
            ),
        },
        openapi_extra={"parameters": [SYMBOL, MODE, FIELDS, IF_NONE_MATCH]},
        route_class_override=LeanRoute,
        tags=["quotes"],
    )
    app.router.add_api_route(
        MANY,
        door.many,
        name="read_quotes",
        summary="Quotes of several scrips",
        response_model=BatchReply,
        responses={
            **QUOTES_OK,
            **problems(
                Kind.MISSING_PARAMETER,
                Kind.UNKNOWN_MODE,
                Kind.NO_SYMBOLS,
                Kind.TOO_MANY_SYMBOLS,
                Kind.UNKNOWN_FIELD,
                Kind.NOT_READY,
            ),
        },
        openapi_extra={"parameters": [SYMBOLS, MODE, FIELDS, IF_NONE_MATCH]},
        route_class_override=LeanRoute,
        tags=["quotes"],
    )
