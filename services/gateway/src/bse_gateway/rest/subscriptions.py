"""`POST /api/subscribe`: a client's set, stored under its id for the hub to start from and to follow."""

import secrets
from collections.abc import Iterable

from fastapi import Depends, FastAPI, Request

from bse_gateway.identifiers import Miss
from bse_gateway.identity.errors import NotYours
from bse_gateway.lookup import Lookup
from bse_gateway.rest.contract import problems
from bse_gateway.rest.problems import Kind, Problem
from bse_gateway.rest.quotes import check_count
from bse_gateway.rest.replies.base import IdentifierError
from bse_gateway.rest.replies.subscriptions import (
    StreamReply,
    SubscribedScrip,
    SubscribeReply,
    SubscribeRequest,
)
from bse_gateway.settings import RestSettings
from bse_gateway.subscription_set import NextSet, Refusal, next_set
from bse_shared.access.principal import Principal
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.modes import Mode
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.wire.records import SubscriptionRecord


_MESSAGES = {
    Refusal.NOT_SUBSCRIBED: "The scrip was not in the set.",
    Refusal.TOO_MANY_SYMBOLS: "The set is full.",
}


class SubscribeDoor:
    """Loads, decides, saves. Two writers of one id at once: the later one wins, whole."""

    def __init__(
        self,
        lookup: Lookup,
        subscriptions: Subscriptions,
        access: AccessStore,
        settings: RestSettings,
    ):
        self._lookup = lookup
        self._subscriptions = subscriptions
        self._access = access
        self._settings = settings

    async def subscribe(
        self, wanted: SubscribeRequest, request: Request
    ) -> SubscribeReply:
        """Change the set of a client id. Connect to one of the `stream` addresses to get its quotes.

        A set is kept for 24 hours after its last change, and while a client of that id is connected; once the last one
        has left, for nearly a day more. A connected client follows changes made here.
        """
        check_count(wanted.symbols, self._settings.symbols_max)
        now_ms = self._lookup.moment().now_ms
        asked, misses = self._scrips(wanted.symbols)
        principal: Principal = request.state.principal
        client_id = wanted.client_id or secrets.token_urlsafe(16)
        if not await self._access.may_use_client(client_id, principal):
            raise NotYours
        result = next_set(
            await self._held(wanted),
            wanted.action,
            asked,
            Mode(wanted.mode) if wanted.mode else None,
            min(self._settings.subscription_symbols_max, principal.limits.symbols),
        )
        await self._subscriptions.save(
            SubscriptionRecord(
                client_id=client_id,
                wants=result.wants,
                updated_at_ms=now_ms,
            )
        )
        return SubscribeReply(
            client_id=client_id,
            symbols=self._set(result),
            rejected=_rejected(misses, result),
            stream=stream_addresses(self._settings.stream_url, client_id),
            ticket=await self._access.issue_ticket(client_id, principal),
        )

    def _scrips(
        self, symbols: list[str]
    ) -> tuple[list[tuple[str, Instrument]], list[Miss]]:
        asked, misses = [], []
        for symbol in symbols:
            found = self._lookup.scrip(symbol)
            if isinstance(found, Miss):
                misses.append(found)
            else:
                asked.append((symbol, found))
        return asked, misses

    async def _held(self, wanted: SubscribeRequest) -> SubscriptionRecord | None:
        if wanted.client_id is None or wanted.action == "set":
            return None
        return await self._subscriptions.load(wanted.client_id)

    def _set(self, result: NextSet) -> list[SubscribedScrip]:
        return [
            SubscribedScrip(
                symbol=self._lookup.symbol_of(code),
                code=code,
                mode=way.mode,
                fields=way.fields,
                max_hz=way.max_hz,
                every=way.every,
            )
            for code, way in result.wanted.items()
        ]


def stream_addresses(stream_url: str, client_id: str) -> StreamReply:
    """Where the hub's doors are for this client. Socket.IO clients want http(s)."""
    web_url = "http" + stream_url.removeprefix("ws")
    return StreamReply(
        websocket=f"{stream_url}/ws?client_id={client_id}",
        socketio=f"{web_url}/socket.io/?client_id={client_id}",
    )


def add_subscription_routes(app: FastAPI, door: SubscribeDoor) -> None:
    """Add the route."""
    app.router.add_api_route(
        "/api/subscribe",
        door.subscribe,
        methods=["POST"],
        name="subscribe",
        summary="Choose the scrips that a client streams",
        response_model=SubscribeReply,
        dependencies=[Depends(require_json)],
        responses=problems(
            Kind.MALFORMED_JSON,
            Kind.BODY_TOO_LARGE,
            Kind.UNSUPPORTED_MEDIA_TYPE,
            Kind.INVALID_REQUEST,
            Kind.NO_SYMBOLS,
            Kind.TOO_MANY_SYMBOLS,
            Kind.NOT_YOURS,
            Kind.NOT_READY,
            Kind.STORE_UNAVAILABLE,
        ),
        tags=["stream"],
    )


async def require_json(request: Request) -> None:
    """Refuse a body that is not declared as JSON."""
    # Also keeps browsers from sending this cross-site without asking (CORS preflight).
    media_type = request.headers.get("content-type", "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        raise Problem(
            Kind.UNSUPPORTED_MEDIA_TYPE, "Send JSON with Content-Type application/json."
        )


def _rejected(misses: Iterable[Miss], result: NextSet) -> list[IdentifierError]:
    unknown = [
        IdentifierError(symbol=m.symbol, reason=m.reason, message=m.message)
        for m in misses
    ]
    refused = [
        IdentifierError(symbol=identifier, reason=refusal, message=_MESSAGES[refusal])
        for identifier, refusal in result.refused
    ]
    return unknown + refused
