"""`/api/indices`: their own values, and the quotes of their members."""

from typing import Annotated

from fastapi import FastAPI, Path, Request, Response

from bse_gateway.derived import indian_time, rounded_ratio
from bse_gateway.index_values import IndexValues
from bse_gateway.lookup import Lookup, Market
from bse_gateway.rest.choices import LISTED, Fields, QuoteMode
from bse_gateway.rest.decimal_json import encoded, rupees
from bse_gateway.rest.problems import Kind
from bse_gateway.rest.quote_parameters import QUOTES_OK
from bse_gateway.rest.quotes import QuoteDoor
from bse_gateway.rest.replies.market import IndexReply, IndicesReply
from bse_gateway.rest.replies.quotes import BatchReply
from bse_gateway.rest.routes import add_get
from bse_gateway.rest.selections import selected
from bse_shared.wire.records import IndexRecord


IndexName = Annotated[
    str,
    Path(
        description="as /api/indices lists it; `S&P BSE` before it may stay",
        openapi_examples={"index": {"value": "SENSEX"}},
    ),
]


class IndexDoor:
    """The routes."""

    def __init__(
        self, market: Market, lookup: Lookup, quotes: QuoteDoor, values: IndexValues
    ):
        self._market = market
        self._lookup = lookup
        self._quotes = quotes
        self._values = values

    async def indices(self) -> Response:
        """The indices with their own values. With the store away the last ones are told, and their age grows."""
        self._lookup.moment()
        values = await self._values.by_name()
        now_ms = self._lookup.moment().now_ms
        counts = self._lookup.index.indices
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


def add_index_routes(app: FastAPI, door: IndexDoor) -> None:
    """Add the routes."""
    add_get(
        app,
        "/api/indices",
        door.indices,
        Kind.NOT_READY,
        name="list_indices",
        summary="Indices",
        tag="instruments",
        model=IndicesReply,
    )
    add_get(
        app,
        "/api/indices/{name}/quotes",
        door.members,
        *LISTED,
        name="read_index_members",
        summary="Quotes of an index's members",
        tag="quotes",
        model=BatchReply,
        also=QUOTES_OK,
    )
