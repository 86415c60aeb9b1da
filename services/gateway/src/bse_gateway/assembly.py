"""The composition root: everything of the gateway is made here, and closed here in reverse order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bse_gateway.calendar_follower import LOOK_INTERVAL_S as LOOK_FOR_CALENDAR_S
from bse_gateway.calendar_follower import CalendarFollower
from bse_gateway.identity.parts import PUBLISH_INTERVAL_S, put_together
from bse_gateway.identity.spending import TELL_INTERVAL_S
from bse_gateway.lookup import Lookup
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.minutes_under_way import LOOK_INTERVAL_S as LOOK_FOR_MINUTES_S
from bse_gateway.minutes_under_way import MinutesUnderWay
from bse_gateway.on_demand import OnDemand
from bse_gateway.rest.app import create_app
from bse_gateway.rest.envelope import RequestIds
from bse_gateway.rest.lean_door import LeanDoor
from bse_gateway.rest.lean_protocol import lean_protocol
from bse_gateway.rest.limited_protocol import ConnectionLimits
from bse_gateway.rest.market import health_detail, not_ready
from bse_gateway.rest.quote_answers import QuoteAnswers
from bse_gateway.settings import GatewaySettings
from bse_shared.quotes.quote_table import Changes
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.calendar_board import CalendarBoard
from bse_shared.redis_edge.connection import open_redis
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.redis_edge.identity_store import IdentityStore
from bse_shared.redis_edge.instances import Instances, Subscriptions
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.quote_follower import QuoteFollower
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.heartbeat import heartbeat_loop
from bse_shared.service.loops import Loop
from bse_shared.service.runner import Service, Shell


@asynccontextmanager
async def assemble(settings: GatewaySettings, shell: Shell) -> AsyncIterator[Service]:
    """The gateway. Redis may be away: the loops keep trying, and what was read is served meanwhile."""
    async with open_redis(settings.redis, f"gateway-{shell.instance}") as redis:
        store = MarketStore(redis, shell.clock, settings.market.shards)
        metrics = GatewayMetrics(shell.registry)
        identity = put_together(
            AccessStore(redis),
            IdentityStore(redis, settings.auth.pepper_bytes),
            settings.auth,
            shell.clock,
            metrics,
            shell.instance,
        )
        also = {
            keys.ACCESS_CHANNEL: identity.access.take,
            keys.SPENT_CHANNEL: identity.spending.take,
        }
        on_demand = OnDemand(
            DemandBoard(redis),
            store,
            shell.clock,
            metrics,
            settings.rest.on_demand_within_s,
        )

        def changed(changes: Changes) -> None:
            on_demand.take(changes)
            under_way.take(changes)

        follower = QuoteFollower(redis, store, changed, also=also)
        under_way = MinutesUnderWay(follower.table)
        metrics.watch(follower)

        calendar = CalendarFollower(CalendarBoard(redis), shell.clock)
        metrics.watch_calendar(calendar.days_left)

        lookup = Lookup(follower)
        answers, ids = QuoteAnswers(lookup), RequestIds()
        door = LeanDoor(
            answers,
            on_demand,
            identity.guard,
            metrics,
            shell.clock,
            ids,
            settings.rest.symbols_max,
        )

        limits = ConnectionLimits(
            settings.rest.connections_max,
            settings.rest.head_within_s,
            settings.rest.read_within_s,
        )

        def detail() -> dict[str, Any]:
            return health_detail(follower)

        yield Service(
            app=create_app(
                market=follower,
                lookup=lookup,
                answers=answers,
                on_demand=on_demand,
                controls=FetcherControls(redis),
                hub_controls=HubControls(redis),
                instances=Instances(redis),
                history=MarketHistory(redis, shell.clock, settings.market.shards),
                under_way=under_way,
                calendar=calendar,
                ids=ids,
                subscriptions=Subscriptions(redis),
                identity=identity,
                settings=settings.rest,
                metrics=metrics,
                clock=shell.clock,
                version=shell.version,
            ),
            loops=[
                Loop("follow_bus", follower.follow_bus, silence_max_s=None),
                Loop("repair", follower.repair),
                Loop("watch_minutes", under_way.look, LOOK_FOR_MINUTES_S),
                Loop("follow_calendar", calendar.step, LOOK_FOR_CALENDAR_S),
                Loop("publish_keys", identity.publish, PUBLISH_INTERVAL_S),
                Loop("reread_access", identity.access.reread),
                Loop("tell_spending", identity.spending.tell, TELL_INTERVAL_S),
                heartbeat_loop(shell, Instances(redis), follower.now_ms, detail),
            ],
            not_ready=lambda: not_ready(follower),
            detail=detail,
            server_options={"http": lean_protocol(door, limits, metrics, ids)},
        )
