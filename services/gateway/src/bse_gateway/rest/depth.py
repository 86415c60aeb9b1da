"""`/api/stock/{symbol}/depth`: the order book of one scrip."""

from fastapi import FastAPI, Request, Response

from bse_gateway.rest.problems import Kind
from bse_gateway.rest.quote_parameters import QUOTES_OK
from bse_gateway.rest.quotes import QuoteDoor
from bse_gateway.rest.replies.quotes import DepthReply
from bse_gateway.rest.routes import add_get
from bse_gateway.rest.symbol import Symbol


DEPTH = frozenset(
    {
        *("last", "bid", "bid_quantity", "ask", "ask_quantity", "bids", "asks"),
        *("lower_circuit", "upper_circuit", "source", "as_of"),
    }
)


class DepthDoor:
    """The route."""

    def __init__(self, quotes: QuoteDoor):
        self._quotes = quotes

    async def depth(self, symbol: Symbol, request: Request) -> Response:
        """Five levels a side; `null` until somebody streams the scrip, because only then its depth is fetched."""
        return await self._quotes.chosen(request, symbol, DEPTH)


def add_depth_route(app: FastAPI, door: DepthDoor) -> None:
    """Add the route."""
    add_get(
        app,
        "/api/stock/{symbol}/depth",
        door.depth,
        *(Kind.UNKNOWN_SYMBOL, Kind.NO_QUOTE, Kind.INVALID_SYMBOL, Kind.NOT_READY),
        name="read_depth",
        summary="One scrip's order book",
        tag="quotes",
        model=DepthReply,
        also=QUOTES_OK,
    )
