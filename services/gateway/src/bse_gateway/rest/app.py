"""Puts the REST application together: routes, problems, middleware."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.routing import APIRoute

from bse_gateway.calendar_follower import CalendarFollower
from bse_gateway.candle_reader import CandleReader
from bse_gateway.feed_desk import FeedDesk
from bse_gateway.hub_desk import HubDesk
from bse_gateway.identity.parts import Identity
from bse_gateway.index_values import IndexValues
from bse_gateway.lookup import Lookup, Market
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.minutes_under_way import MinutesUnderWay
from bse_gateway.on_demand import OnDemand
from bse_gateway.rest.admin import add_admin_routes
from bse_gateway.rest.auth import add_auth_routes
from bse_gateway.rest.body_limit import BodyLimit
from bse_gateway.rest.calendar import CalendarDoor, add_calendar_routes
from bse_gateway.rest.candles import CandleDoor, add_candle_routes
from bse_gateway.rest.contract import DESCRIPTION, GatewayApp
from bse_gateway.rest.depth import DepthDoor, add_depth_route
from bse_gateway.rest.docs_page import add_docs_page
from bse_gateway.rest.envelope import Envelope, RequestIds
from bse_gateway.rest.feed_control import FeedDoor, add_feed_routes
from bse_gateway.rest.hub_control import HubDoor, add_hub_routes
from bse_gateway.rest.indices import IndexDoor, add_index_routes
from bse_gateway.rest.instruments import InstrumentDoor, add_instrument_routes
from bse_gateway.rest.lean_door import (
    COMPRESSED_FROM_BYTES,
    COMPRESSION_LEVEL,
)
from bse_gateway.rest.load_shedding import LoadShedding
from bse_gateway.rest.market import add_market_routes
from bse_gateway.rest.problems import answer_errors_as_problems
from bse_gateway.rest.quote_answers import QuoteAnswers
from bse_gateway.rest.quotes import QuoteDoor, add_quote_routes
from bse_gateway.rest.rankings import RankingDoor, add_ranking_routes
from bse_gateway.rest.refusals import answer_refusals_as_problems
from bse_gateway.rest.strict_query import refuse_unknown_parameters
from bse_gateway.rest.subscriptions import SubscribeDoor, add_subscription_routes
from bse_gateway.rest.udf.door import UdfDoor
from bse_gateway.rest.udf.routes import add_udf_routes
from bse_gateway.settings import RestSettings
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.redis_edge.instances import Instances, Subscriptions
from bse_shared.redis_edge.market_history import MarketHistory


PREFLIGHT_KEPT_S = 600


def create_app(
    *,
    market: Market,
    lookup: Lookup,
    answers: QuoteAnswers,
    on_demand: OnDemand,
    history: MarketHistory,
    under_way: MinutesUnderWay,
    calendar: CalendarFollower,
    controls: FetcherControls,
    hub_controls: HubControls,
    instances: Instances,
    ids: RequestIds,
    subscriptions: Subscriptions,
    identity: Identity,
    settings: RestSettings,
    metrics: GatewayMetrics,
    clock: Clock,
    version: str,
) -> GatewayApp:
    """The application without probes, which the runner adds."""
    app = GatewayApp(
        title="BSE quotes",
        version=version,
        description=DESCRIPTION,
        # FastAPI's pages load scripts from other hosts; `docs_page` is ours.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Ours are the metrics and the log line of the envelope; asking for another costs each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=_operation_id,
    )
    quotes = QuoteDoor(answers, on_demand, metrics, settings.symbols_max)
    add_quote_routes(app, quotes)
    add_ranking_routes(app, RankingDoor(market, lookup, quotes))
    values = IndexValues(history, clock)
    add_index_routes(app, IndexDoor(market, lookup, quotes, values))
    add_depth_route(app, DepthDoor(quotes))
    candles = CandleReader(market, history, under_way)
    add_candle_routes(app, CandleDoor(lookup, candles, metrics))
    add_instrument_routes(app, InstrumentDoor(market, lookup, calendar))
    add_calendar_routes(app, CalendarDoor(calendar, clock))
    add_udf_routes(app, UdfDoor(lookup, candles, calendar))
    add_market_routes(app, market, lookup)
    door = SubscribeDoor(lookup, subscriptions, identity.shared, settings)
    add_subscription_routes(app, door)
    add_auth_routes(app, identity)
    add_admin_routes(app, identity)
    desk = FeedDesk(controls, market, identity.acts)
    add_feed_routes(app, FeedDoor(desk, market))
    hubs = HubDesk(hub_controls, instances, market, identity.acts)
    add_hub_routes(app, HubDoor(hubs, market))
    add_docs_page(app)
    refuse_unknown_parameters(app.router.routes)
    identity.guard.stand_before(app.router.routes)
    answer_errors_as_problems(app)
    answer_refusals_as_problems(app)
    # The one added last is outermost.
    app.add_middleware(
        GZipMiddleware,
        minimum_size=COMPRESSED_FROM_BYTES,
        compresslevel=COMPRESSION_LEVEL,
    )
    app.add_middleware(
        BodyLimit,
        bytes_max=settings.body_bytes_max,
        within_s=settings.body_within_s,
    )
    _allow_browsers(app, settings.origins)
    app.add_middleware(
        LoadShedding,
        metrics=metrics,
        in_flight_max=settings.in_flight_max,
        deadline_s=settings.request_deadline_s,
    )
    app.add_middleware(Envelope, metrics=metrics, clock=clock, ids=ids)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _allow_browsers(app: FastAPI, origins: list[str]) -> None:
    if not origins:
        return
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=[
            *("Content-Type", "If-None-Match", "X-Request-ID"),
            *("Authorization", "X-API-Key"),
        ],
        expose_headers=[
            *("ETag", "Retry-After", "X-Request-ID", "WWW-Authenticate"),
            *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
        ],
        max_age=PREFLIGHT_KEPT_S,
    )
