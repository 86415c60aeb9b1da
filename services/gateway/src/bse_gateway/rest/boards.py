"""`/api/market/movers`, `52-week`, `circuits`, `breadth`; `/api/indices`; depth: what is read off the whole table."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request, Response

from bse_gateway.derived import indian_time, rounded_ratio
from bse_gateway.index_values import IndexValues
from bse_gateway.lookup import Lookup, Market
from bse_gateway.market_board import Board, Breadth, breadth, ranked
from bse_gateway.rest.contract import problems
from bse_gateway.rest.decimal_json import encoded, rupees
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.quotes import (
    FIELDS_PATTERN,
    MODE_DESCRIPTION,
    QUOTES_OK,
    QuoteDoor,
)
from bse_gateway.rest.replies import (
    BatchReply,
    BreadthReply,
    DepthReply,
    IndexReply,
    IndicesReply,
)
from bse_gateway.rest.selections import WHOLE, Selection, canonical, selected
from bse_gateway.rest.symbol import Symbol
from bse_shared.quotes.instrument import Instrument
from bse_shared.wire.records import IndexRecord


LIMIT_MAX = 100

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="at most so many scrips")]
Fields = Annotated[
    str | None,
    Query(
        description="only these members, separated by commas; see /api/stock/{symbol}",
        json_schema_extra={"pattern": FIELDS_PATTERN},
        openapi_examples={"short": {"value": "last,change_percent"}},
    ),
]
QuoteMode = Annotated[
    Literal["ltp", "quote", "full"] | None, Query(description=MODE_DESCRIPTION)
]
IndexName = Annotated[
    str,
    Path(
        description="as /api/indices lists it; `S&P BSE` before it may stay",
        openapi_examples={"index": {"value": "SENSEX"}},
    ),
]
Mover = Literal["gainers", "losers", "volume", "turnover", "trades"]

DEPTH = frozenset(
    {
        *("last", "bid", "bid_quantity", "ask", "ask_quantity", "bids", "asks"),
        *("lower_circuit", "upper_circuit", "source", "as_of"),
    }
)


class MarketBoards:
    """Rankings and counts, each made at most once for a state of the table."""

    def __init__(self, market: Market):
        self._market = market
        self._state: tuple[object, ...] = ()
        self._kept: dict[tuple[str, str], Any] = {}

    def ranked(self, selection: str, board: Board) -> list[Instrument]:
        """The scrips of a board, best first. Raises the problem of an unknown selection."""

        def rank(scrips: list[Instrument]) -> list[Instrument]:
            by_code = {scrip.code: scrip for scrip in scrips}
            images = self._market.table.images
            return [by_code[code] for code in ranked(images, by_code, board)]

        ranking: list[Instrument] = self._once(selection, board.value, rank)
        return ranking

    def breadth(self, selection: str) -> Breadth:
        """The counts of a selection. Raises the problem of an unknown one."""

        def count(scrips: list[Instrument]) -> Breadth:
            return breadth(self._market.table.images, [each.code for each in scrips])

        counts: Breadth = self._once(selection, "breadth", count)
        return counts

    def _once(
        self, selection: str, what: str, make: Callable[[list[Instrument]], Any]
    ) -> Any:
        table = self._market.table
        positions = [table.position(shard) for shard in range(table.shards)]
        state = (self._market.instruments, *positions)
        if state != self._state:
            self._state, self._kept = state, {}
        key = (canonical(selection), what)
        if key not in self._kept:
            self._kept[key] = make(selected(self._market, selection))
        return self._kept[key]


class BoardDoor:
    """The routes. Quotes come as from /api/stocks/batch: same shape, formats, tags."""

    def __init__(
        self, market: Market, lookup: Lookup, quotes: QuoteDoor, values: IndexValues
    ):
        self._market = market
        self._lookup = lookup
        self._quotes = quotes
        self._boards = MarketBoards(market)
        self._values = values

    async def movers(
        self,
        request: Request,
        by: Mover = "gainers",
        selection: Selection = WHOLE,
        limit: Limit = 10,
        mode: QuoteMode = None,
        fields: Fields = None,
    ) -> Response:
        """The most moved or most traded scrips of today, best first. Doubted prices are in no ranking."""
        return self._ranking(request, Board(by), selection, limit)

    async def new_extremes(
        self,
        request: Request,
        side: Literal["high", "low"] = "high",
        selection: Selection = WHOLE,
        limit: Limit = 10,
        mode: QuoteMode = None,
        fields: Fields = None,
    ) -> Response:
        """Scrips that reached their 52-week high or low today, by turnover."""
        return self._ranking(request, Board(side), selection, limit)

    async def circuits(
        self,
        request: Request,
        side: Literal["upper", "lower"] = "upper",
        selection: Selection = WHOLE,
        limit: Limit = 10,
        mode: QuoteMode = None,
        fields: Fields = None,
    ) -> Response:
        """Scrips that stand at their circuit limit now, by turnover."""
        return self._ranking(request, Board(side), selection, limit)

    async def breadth(self, selection: Selection = WHOLE) -> BreadthReply:
        """How many scrips rose, fell, stood; how many are at limits and 52-week extremes."""
        now_ms = self._lookup.moment().now_ms
        counts = self._boards.breadth(selection)
        return BreadthReply(**counts._asdict(), server_time_ms=now_ms)

    async def indices(self) -> Response:
        """The indices with their own values. With the store away the last ones are told, and their age grows."""
        self._lookup.moment()
        values = await self._values.by_name()
        now_ms = self._lookup.moment().now_ms
        counts = self._lookup.index.indices()
        told = [
            _index(name, counts.get(name, 0), values.get(name), now_ms)
            for name in sorted(counts.keys() | values.keys())
        ]
        body = encoded({"indices": told, "server_time_ms": now_ms})
        return Response(body, media_type="application/json")

    async def members(
        self,
        name: IndexName,
        request: Request,
        mode: QuoteMode = None,
        fields: Fields = None,
    ) -> Response:
        """Quotes of all members of an index, however many, by scrip code."""
        self._lookup.moment()
        scrips = sorted(selected(self._market, f"index:{name}"))
        return self._quotes.listed(request, scrips)

    async def depth(self, symbol: Symbol, request: Request) -> Response:
        """Five levels a side; `null` until somebody streams the scrip, because only then its depth is fetched."""
        return await self._quotes.chosen(request, symbol, DEPTH)

    def _ranking(
        self, request: Request, board: Board, selection: str, limit: int
    ) -> Response:
        self._lookup.moment()
        return self._quotes.listed(
            request, self._boards.ranked(selection, board)[:limit]
        )


def _index(
    name: str, members: int, value: IndexRecord | None, now_ms: int
) -> dict[str, object]:
    if value is None:
        return {
            **dict.fromkeys(IndexReply.model_fields),
            "name": name,
            "members": members,
        }
    change = percent = None
    if value.previous_close is not None:
        change = value.last - value.previous_close
        if value.previous_close > 0:
            percent = rounded_ratio(change * 10_000, value.previous_close)
    return {
        "name": name,
        "members": members,
        "last": rupees(value.last),
        "open": rupees(value.open),
        "high": rupees(value.high),
        "low": rupees(value.low),
        "previous_close": rupees(value.previous_close),
        "change": rupees(change),
        "change_percent": rupees(percent),
        "exchange_time_ms": value.exchange_time_ms,
        "as_of": indian_time(value.exchange_time_ms),
        "received_at_ms": value.received_at_ms,
        "age_ms": max(now_ms - value.received_at_ms, 0),
    }


def add_board_routes(app: FastAPI, door: BoardDoor) -> None:
    """Add the routes."""
    refusals = problems(
        Kind.UNKNOWN_SELECTION,
        Kind.UNKNOWN_FIELD,
        Kind.INVALID_REQUEST,
        Kind.NOT_READY,
    )
    for path, endpoint, name, summary in (
        ("movers", door.movers, "read_movers", "Most moved and most traded"),
        ("52-week", door.new_extremes, "read_52_week", "New 52-week highs and lows"),
        ("circuits", door.circuits, "read_circuits", "Scrips at circuit limits"),
    ):
        app.router.add_api_route(
            f"/api/market/{path}",
            endpoint,
            name=name,
            summary=summary,
            response_model=BatchReply,
            responses={**QUOTES_OK, **refusals},
            tags=["market"],
        )
    app.router.add_api_route(
        "/api/market/breadth",
        door.breadth,
        name="read_breadth",
        summary="Advances and declines",
        response_model=BreadthReply,
        responses=problems(
            Kind.UNKNOWN_SELECTION, Kind.INVALID_REQUEST, Kind.NOT_READY
        ),
        tags=["market"],
    )
    app.router.add_api_route(
        "/api/indices",
        door.indices,
        name="list_indices",
        summary="Indices",
        response_model=IndicesReply,
        responses=problems(Kind.NOT_READY),
        tags=["instruments"],
    )
    app.router.add_api_route(
        "/api/indices/{name}/quotes",
        door.members,
        name="read_index_members",
        summary="Quotes of an index's members",
        response_model=BatchReply,
        responses={**QUOTES_OK, **refusals},
        tags=["quotes"],
    )
    app.router.add_api_route(
        "/api/stock/{symbol}/depth",
        door.depth,
        name="read_depth",
        summary="One scrip's order book",
        response_model=DepthReply,
        responses={
            **QUOTES_OK,
            **problems(
                Kind.UNKNOWN_SYMBOL, Kind.NO_QUOTE, Kind.INVALID_SYMBOL, Kind.NOT_READY
            ),
        },
        tags=["quotes"],
    )
