"""`/api/search`, `/api/instruments`: who the scrips are."""

from typing import Annotated

from fastapi import FastAPI, Query

from bse_gateway.calendar_follower import CalendarFollower
from bse_gateway.identifiers import Miss
from bse_gateway.lookup import Lookup, Market
from bse_gateway.rest.problems import Kind, problem_of
from bse_gateway.rest.replies.instruments import (
    InstrumentReply,
    InstrumentsReply,
    OneInstrumentReply,
    SearchReply,
)
from bse_gateway.rest.routes import add_get
from bse_gateway.rest.selections import WHOLE, Selection, selected
from bse_gateway.rest.symbol import Symbol
from bse_shared.quotes.instrument import Instrument
from bse_shared.wire.records import SessionRecord


FOUND_MAX, PAGE_MAX = 50, 1000

Text = Annotated[
    str,
    Query(
        min_length=1,
        max_length=60,
        description="part of a symbol or name, a scrip code or ISIN",
        openapi_examples={"name": {"value": "reliance"}},
    ),
]


class InstrumentDoor:
    """The routes."""

    def __init__(self, market: Market, lookup: Lookup, calendar: CalendarFollower):
        self._market = market
        self._lookup = lookup
        self._calendar = calendar

    async def search(
        self, q: Text, limit: Annotated[int, Query(ge=1, le=FOUND_MAX)] = 10
    ) -> SearchReply:
        """Scrips by what a person types: the scrip itself, then symbols and names that begin so, then the rest."""
        self._lookup.moment()
        found = self._lookup.index.search(q, limit)
        return SearchReply(instruments=[instrument_reply(each) for each in found])

    async def page(
        self,
        selection: Selection = WHOLE,
        after: Annotated[
            int, Query(ge=0, le=2**31, description="`next` of the page before")
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    ) -> InstrumentsReply:
        """All scrips in the order of their codes, page by page, until `next` is null."""
        self._lookup.moment()
        chosen = None if selection == WHOLE else selected(self._market, selection)
        page, following = self._lookup.index.page(chosen, after, limit)
        return InstrumentsReply(
            instruments=[instrument_reply(each) for each in page],
            total=len(self._market.instruments) if chosen is None else len(chosen),
            next=following,
        )

    async def one(self, symbol: Symbol) -> OneInstrumentReply:
        """Who a scrip is, and in which phase of the trading day."""
        self._lookup.moment()
        found = self._lookup.scrip(symbol)
        if isinstance(found, Miss):
            raise problem_of(found)
        by_auction = self._calendar.calendar.closes_by_auction(found.code)
        feed = self._market.feed
        return OneInstrumentReply(
            **instrument_reply(found).model_dump(),
            closing_auction=by_auction,
            phase=_phase(feed.session, by_auction) if feed else None,
        )


def _phase(session: SessionRecord, by_auction: bool | None) -> str | None:
    """The phase of a scrip that closes by auction, or does not, or of which that is not known."""
    auction_phase = session.closing_auction_phase or session.phase
    if by_auction is None:
        return session.phase if auction_phase == session.phase else None
    return auction_phase if by_auction else session.phase


def instrument_reply(scrip: Instrument) -> InstrumentReply:
    """The public form."""
    return InstrumentReply(
        symbol=scrip.symbol,
        code=scrip.code,
        isin=scrip.isin or None,
        name=scrip.name or None,
        group=scrip.group or None,
        indices=[name for name in scrip.indices.split("|") if name],
    )


def add_instrument_routes(app: FastAPI, door: InstrumentDoor) -> None:
    """Add the routes."""
    add_get(
        app,
        "/api/search",
        door.search,
        *(Kind.INVALID_REQUEST, Kind.NOT_READY),
        name="search_instruments",
        summary="Find scrips",
        tag="instruments",
        model=SearchReply,
    )
    add_get(
        app,
        "/api/instruments",
        door.page,
        *(Kind.UNKNOWN_SELECTION, Kind.INVALID_REQUEST, Kind.NOT_READY),
        name="list_instruments",
        summary="All scrips, by page",
        tag="instruments",
        model=InstrumentsReply,
    )
    add_get(
        app,
        "/api/instruments/{symbol}",
        door.one,
        *(Kind.UNKNOWN_SYMBOL, Kind.INVALID_SYMBOL, Kind.NOT_READY),
        name="read_instrument",
        summary="Who a scrip is",
        tag="instruments",
        model=OneInstrumentReply,
    )
