"""`/api/market/movers`, `52-week`, `circuits`, `breadth`: what is read off the whole table."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query, Request, Response

from bse_gateway.lookup import Lookup, Market
from bse_gateway.market_board import Board, Breadth, breadth, ranked
from bse_gateway.rest.choices import LISTED, Fields, QuoteMode
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.quote_parameters import QUOTES_OK
from bse_gateway.rest.quotes import QuoteDoor
from bse_gateway.rest.replies.market import BreadthReply
from bse_gateway.rest.replies.quotes import BatchReply
from bse_gateway.rest.routes import add_get
from bse_gateway.rest.selections import WHOLE, Selection, canonical, selected
from bse_shared.quotes.instrument import Instrument


LIMIT_MAX = 100

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="at most so many scrips")]
Mover = Literal["gainers", "losers", "volume", "turnover", "trades"]


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


class RankingDoor:
    """The routes. Quotes come as from /api/stocks/batch: same shape, formats, tags."""

    def __init__(self, market: Market, lookup: Lookup, quotes: QuoteDoor):
        self._lookup = lookup
        self._quotes = quotes
        self._boards = MarketBoards(market)

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

    def _ranking(
        self, request: Request, board: Board, selection: str, limit: int
    ) -> Response:
        self._lookup.moment()
        return self._quotes.listed(
            request, self._boards.ranked(selection, board)[:limit]
        )


def add_ranking_routes(app: FastAPI, door: RankingDoor) -> None:
    """Add the routes."""
    for path, endpoint, name, summary in (
        ("movers", door.movers, "read_movers", "Most moved and most traded"),
        ("52-week", door.new_extremes, "read_52_week", "New 52-week highs and lows"),
        ("circuits", door.circuits, "read_circuits", "Scrips at circuit limits"),
    ):
        add_get(
            app,
            f"/api/market/{path}",
            endpoint,
            *LISTED,
            name=name,
            summary=summary,
            tag="market",
            model=BatchReply,
            also=QUOTES_OK,
        )
    add_get(
        app,
        "/api/market/breadth",
        door.breadth,
        *(Kind.UNKNOWN_SELECTION, Kind.INVALID_REQUEST, Kind.NOT_READY),
        name="read_breadth",
        summary="Advances and declines",
        tag="market",
        model=BreadthReply,
    )
