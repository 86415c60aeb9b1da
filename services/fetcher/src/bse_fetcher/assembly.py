"""The composition root of the fetcher: with `price_loops` and `history_loops` the only place that constructs."""

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import msgspec
from fastapi import FastAPI, Response

from bse_fetcher.core import Core
from bse_fetcher.feed import Feed
from bse_fetcher.history_loops import history_loops
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.loops.beat import Beat
from bse_fetcher.loops.obey import Obedience
from bse_fetcher.loops.refresh_master import MasterRefresher
from bse_fetcher.loops.tell_calendar import CalendarTeller
from bse_fetcher.loops.tidy import Tidier
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.parts import LIST_SOURCE, Parts
from bse_fetcher.polling.circuit import Circuit, CircuitRules
from bse_fetcher.polling.demand import Demand
from bse_fetcher.price_loops import price_loops
from bse_fetcher.publisher import Publisher
from bse_fetcher.scrutiny import Scrutiny
from bse_fetcher.session_source import CalendarSource
from bse_fetcher.settings import DemandSettings, FetcherSettings
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.guard import Guards
from bse_fetcher.sources.registry import LIST_SOURCES, budgets_of
from bse_fetcher.sources.retries import Retries
from bse_fetcher.status import StatusBoard
from bse_fetcher.terms import Terms
from bse_fetcher.tick_source import TickSource
from bse_shared.redis_edge.calendar_board import CalendarBoard
from bse_shared.redis_edge.connection import StoreUnavailable, open_redis
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.redis_edge.fetcher_controls import FetcherControls
from bse_shared.redis_edge.instances import Instances
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.source_budgets import SourceBudgets
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.heartbeat import heartbeat_loop
from bse_shared.service.loops import Loop
from bse_shared.service.runner import Service, Shell


TELL_CALENDAR_S = 2.0
TIDY_S = 0.25


@asynccontextmanager
async def assemble(settings: FetcherSettings, shell: Shell) -> AsyncIterator[Service]:
    """Build the fetcher; give the leases back when it ends."""
    async with (
        open_redis(settings.redis, shell.instance) as redis,
        aiohttp.ClientSession() as session,
    ):
        store = MarketStore(redis, shell.clock, settings.market.shards)
        core = _core(settings, shell, store)
        budgets = SourceBudgets(
            redis, shell.clock, store.store_clock, budgets_of(settings)
        )
        parts = Parts(
            settings=settings,
            core=core,
            guards=_guards(settings, core, budgets),
            feed=Feed(settings.source.primary),
            calendar=CalendarSource(settings.poll, shell.clock),
            session=session,
            demand=_demand(settings.demand),
            health=shell.health,
        )
        history = MarketHistory(redis, shell.clock, settings.market.shards)
        asking = [
            *price_loops(parts, DemandBoard(redis)),
            *history_loops(parts, history),
            Loop("read the master", _master(parts).step, 1),
        ]
        ticks = TickSource(settings.source.ticks)

        async def reload() -> None:
            await parts.calendar.reload()
            await ticks.reload()
            core.publisher.scrutiny.ticks = ticks.ticks

        obedience = Obedience(
            FetcherControls(redis), core.orders, lambda: core.terms.leads
        )
        teller = CalendarTeller(core, parts.calendar, CalendarBoard(redis))
        board = _board(parts)
        loops = [
            Loop("hold leases", core.terms.hold, settings.poll.lease_ttl_s / 6),
            Loop("obey", obedience.step, 0.5),
            *asking,
            Loop("beat", Beat(core, board.of_feed).step, 1),
            Loop("measure", board.measure, 1),
            Loop("collect garbage", Tidier(core.publisher).step, TIDY_S),
            Loop("reload the calendar and the ticks", reload, 5),
            Loop("tell the calendar", teller.step, TELL_CALENDAR_S),
            heartbeat_loop(
                shell, Instances(redis), store.now_ms, board.detail, board.role
            ),
        ]
        try:
            yield Service(
                app=_app(board),
                loops=loops,
                not_ready=lambda: (
                    [] if store.store_clock.known else ["the store was not reached yet"]
                ),
                detail=board.detail,
            )
        finally:
            for end in parts.at_end:
                await end()
            with suppress(StoreUnavailable):
                await core.terms.leave()
                await Instances(redis).leave(shell.service, shell.instance)


def _core(settings: FetcherSettings, shell: Shell, store: MarketStore) -> Core:
    metrics = FetcherMetrics(shell.registry)
    terms = Terms(
        store,
        shell.clock,
        shell.instance,
        settings.poll.lease_ttl_s,
        metrics,
        shared=settings.source.primary not in LIST_SOURCES,
    )
    instruments = KnownInstruments()
    publisher = Publisher(terms, instruments, metrics, Scrutiny(metrics))
    return Core(
        shell.instance, shell.clock, store, terms, instruments, publisher, metrics
    )


def _guards(settings: FetcherSettings, core: Core, budgets: SourceBudgets) -> Guards:
    rules = CircuitRules(
        probe_after_s=settings.poll.interval_s,
        forbidden_s=settings.poll.forbidden_interval_s,
    )
    return Guards(
        budgets,
        core.clock,
        lambda: Circuit(rules, random.random),
        core.metrics,
        lambda: core.orders.paused,
        Retries(settings.source.attempts, settings.source.retry_within_s),
    )


def _demand(settings: DemandSettings) -> Demand:
    return Demand(
        settings.hot_max,
        int(settings.warm_for_s * 1000),
        int(settings.missed_hot_for_s * 1000),
    )


def _master(parts: Parts) -> MasterRefresher:
    master = MasterRefresher(
        core=parts.core,
        source=BseSource(parts.session, parts.settings.bse),
        guard=parts.guards.add(LIST_SOURCE, "master", "master"),
    )
    if parts.settings.source.primary == "replay":
        master.due_ms = math.inf  # who plays a recording asks nobody else
    return master


def _board(parts: Parts) -> StatusBoard:
    return StatusBoard(
        core=parts.core,
        feed=parts.feed,
        guards=parts.guards,
        demand=parts.demand,
        session=parts.calendar.session,
        poll_interval_s=parts.settings.poll.interval_s,
        pollers=parts.pollers,
    )


def _app(board: StatusBoard) -> FastAPI:
    app = FastAPI(title="bse-fetcher", docs_url=None, redoc_url=None)

    @app.get("/status", summary="Shards, feed, sources, order, suspects, batches.")
    async def read_status() -> Response:
        return Response(
            msgspec.json.encode(board.whole()), media_type="application/json"
        )

    return app
