"""Answers one request: header rules, then faults, then the market (edge)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from bse_exchange_sim import headers, providers
from bse_exchange_sim.answers import pages
from bse_exchange_sim.answers.catalogue import Catalogue
from bse_exchange_sim.bodies import Body, TickCache
from bse_exchange_sim.exchange import Exchange
from bse_exchange_sim.faults.book import Fault, FaultBook
from bse_exchange_sim.faults.kinds import SPOILING
from bse_exchange_sim.faults.spoil import spoil
from bse_exchange_sim.hanging import HangingRequests, until_gone


JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
TRANSPORT = "transport"
CLOSED = "closed"
SHOW_INTEREST = "/members/showinterest.aspx"

_OK = 200
_FIXED_BODIES = {
    "html_200": Body(pages.SHELL, HTML),
    "null_body": Body(b"null", JSON),
    "empty_body": Body(b"", JSON),
}


class ConnectionClosed(Response):
    """Stands for an answer that is never sent: the connection is gone."""


class Simulator:
    """The exchange behind its HTTP door."""

    def __init__(
        self,
        exchange: Exchange,
        faults: FaultBook,
        *,
        wall_clock: Callable[[], datetime],
        monotonic_s: Callable[[], float],
        header_rules: bool = True,
    ) -> None:
        """Take the market, the faults and the clocks."""
        self.exchange = exchange
        self.faults = faults
        self.wall_clock = wall_clock
        self.monotonic_s = monotonic_s
        self.hanging = HangingRequests()
        self.by_endpoint: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self._header_rules = header_rules
        self._catalogue = Catalogue()
        self._cache = TickCache()
        self._frozen: dict[tuple[int, str], Body] = {}
        self._refusals = 0

    async def answer(self, request: Request) -> Response:
        """Answer one request and count it."""
        response = await self._answer(request)
        path = request.url.path
        name = providers.name(path) or self._catalogue.name(path)
        self.by_endpoint[name] += 1
        closed = isinstance(response, ConnectionClosed)
        self.by_status[CLOSED if closed else str(response.status_code)] += 1
        return response

    async def _answer(self, request: Request) -> Response:
        refused = self._refused(request) if self._header_rules else None
        if refused is not None:
            return refused
        query = unquote_plus(request.url.query)
        fault = self.faults.strike(request.url.path, self.monotonic_s(), query)
        if fault is None:
            return _reply(request, self._body(request))
        return await self._fail(request, fault)

    def _refused(self, request: Request) -> Response | None:
        """Return the refusal that a provider's own rules ask for, if any."""
        path = request.url.path
        if providers.name(path):
            refusal = providers.refusal(path, request.headers, _query(request))
            return refusal and Response(refusal[1], refusal[0], media_type=JSON)
        status = headers.refusal(request.headers)
        return None if status is None else self._refuse(request, status)

    def _refuse(self, request: Request, status: int) -> Response:
        if status == headers.NOT_FOUND:
            return Response(pages.NOT_FOUND, status, media_type=HTML)
        self._refusals += 1
        page = pages.access_denied(request.url.path, self._refusals)
        return Response(page, status, media_type=HTML)

    def _body(self, request: Request) -> Body:
        """Return the market's answer at this tick, or the site's shell."""
        market = self.exchange.look(self.wall_clock())
        path = request.url.path

        def make() -> Body:
            query = _query(request)
            if providers.name(path):
                return Body(providers.answer(market, path, query), JSON)
            raw = self._catalogue.answer(market, path, query)
            return Body(pages.SHELL, HTML) if raw is None else Body(raw, JSON)

        return self._cache.get(market.tick, _target(request), make)

    async def _fail(self, request: Request, fault: Fault) -> Response:
        kind = fault.request.kind
        if kind in SPOILING:
            return _reply(request, self._spoiled(request, fault))
        if kind in _FIXED_BODIES:
            return _reply(request, _FIXED_BODIES[kind])
        match kind:
            case "frozen":
                return _reply(request, self._freeze(request, fault))
            case "slow":
                delay = fault.request.delay_s
                await self.hanging.hold(request, fault.id, delay)
            case "hang":
                await self._hang(request, fault)
            case "down":
                return await _close(request)
            case _:
                return self._error(request, fault)
        return _reply(request, self._body(request))

    def _error(self, request: Request, fault: Fault) -> Response:
        """Return the faults that are a status and little else."""
        match fault.request.kind:
            case "forbidden":
                return self._refuse(request, headers.FORBIDDEN)
            case "too_many_requests":
                wait = {"retry-after": str(fault.request.retry_after_s)}
                return Response(pages.TOO_MANY, 429, wait, HTML)
            case "redirect":
                return Response(b"", 302, {"location": SHOW_INTEREST})
        return Response(pages.SERVER_ERROR, 500, media_type=HTML)

    def _spoiled(self, request: Request, fault: Fault) -> Body:
        good = self._body(request)
        if good.content_type != JSON:
            return good
        return Body(spoil(fault.request, good.raw), JSON)

    def _freeze(self, request: Request, fault: Fault) -> Body:
        key = (fault.id, _target(request))
        if key not in self._frozen:
            armed = {each.id for each in self.faults.armed(self.monotonic_s())}
            armed.add(fault.id)
            self._frozen = {
                old: body for old, body in self._frozen.items() if old[0] in armed
            }
            self._frozen[key] = self._body(request)
        return self._frozen[key]

    async def _hang(self, request: Request, fault: Fault) -> None:
        until = fault.until_s
        limit = None if until is None else max(0.0, until - self.monotonic_s())
        await self.hanging.hold(request, fault.id, limit)


def _query(request: Request) -> dict[str, str]:
    """Return the query with keys in lower case; values of a repeated key are joined by commas."""
    query: dict[str, str] = {}
    for key, value in request.query_params.multi_items():
        known = query.get(key.lower())
        query[key.lower()] = value if known is None else f"{known},{value}"
    return query


def _target(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}"


def _reply(request: Request, body: Body) -> Response:
    content, gzipped = body.encoded(request.headers.get("accept-encoding", ""))
    extra = {"vary": "accept-encoding"}
    if gzipped:
        extra["content-encoding"] = "gzip"
    return Response(content, _OK, extra, body.content_type)


async def _close(request: Request) -> Response:
    """Close the connection without an answer."""
    transport: asyncio.Transport = request.scope["state"][TRANSPORT]
    transport.abort()
    await until_gone(request)
    return ConnectionClosed()
