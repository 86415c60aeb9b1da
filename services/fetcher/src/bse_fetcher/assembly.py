"""The composition root of the fetcher: the only place that constructs."""

import math
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import aiohttp
from fastapi import FastAPI

from bse_fetcher.core import Core
from bse_fetcher.feed import Feed
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.loops.cross_check import CrossChecker
from bse_fetcher.loops.fill_gaps import GapFiller
from bse_fetcher.loops.follow_demand import DemandFollower, Fetch
from bse_fetcher.loops.keep_history import HistoryKeeper
from bse_fetcher.loops.obey import Obedience
from bse_fetcher.loops.poll import Poller
from bse_fetcher.loops.poll_batches import BatchPoller
from bse_fetcher.loops.read_indices import IndexReader
from bse_fetcher.loops.record_day import Recorder
from bse_fetcher.loops.refresh_master import MasterRefresher
from bse_fetcher.loops.sum_up import Summariser
from bse_fetcher.loops.tidy import Tidier
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.circuit import Circuit, CircuitRules
from bse_fetcher.polling.demand import Demand, Tier
from bse_fetcher.polling.frozen import FrozenFeed
from bse_fetcher.polling.pace import Pace
from bse_fetcher.polling.schedule import Schedule
from bse_fetcher.polling.validation import CrossCheck
from bse_fetcher.publisher import Publisher
from bse_fetcher.scrutiny import Scrutiny
from bse_fetcher.session_source import CalendarSource
from bse_fetcher.settings import FetcherSettings
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.bse.scrip_source import BseDetailSource, BseHeaderSource
from bse_fetcher.sources.guard import Guard, Guards
from bse_fetcher.sources.protocol import BatchSource, ListSource, MinuteSource
from bse_fetcher.sources.registry import (
    CHARTS,
    DETAILS,
    LIST_SOURCES,
    SOURCES,
    budgets_of,
)
from bse_fetcher.sources.retries import Retries
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_fetcher.terms import Terms
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


LIST_SOURCE = "bse"
PAUSE_S = 0.25
"""How often it is looked whether there is a pause between two answers."""
RECORD_S = 5.0
TIMES_APART_MAX_MS = 20_000
"""Prices of two sources whose last trades are further apart can't be compared."""


@asynccontextmanager
async def assemble(settings: FetcherSettings, shell: Shell) -> AsyncIterator[Service]:
    """Build the fetcher; give the leases back when it ends."""
    poll, source = settings.poll, settings.source
    async with (
        open_redis(settings.redis, shell.instance) as redis,
        aiohttp.ClientSession() as session,
    ):
        store = MarketStore(redis, shell.clock, settings.market.shards)
        core = _core(settings, shell, store)
        terms, instruments = core.terms, core.instruments
        calendar = CalendarSource(poll, shell.clock)
        feed = Feed(source.primary, settings.market.shards, poll.interval_s)
        budgets = SourceBudgets(
            redis, shell.clock, store.store_clock, budgets_of(settings)
        )
        guards = _guards(settings, core, budgets)
        feed.sources, feed.order = guards.records, core.orders.told
        feed.suspect = lambda: len(core.publisher.scrutiny.suspects())
        demand = Demand(
            settings.demand.hot_max,
            int(settings.demand.warm_for_s * 1000),
            int(settings.demand.missed_hot_for_s * 1000),
        )
        make = _Makers(settings, core, guards, feed, calendar, session, demand)
        pollers = _pollers(make, DemandBoard(redis))
        history = MarketHistory(redis, shell.clock, settings.market.shards)
        pollers += _history(make, history)
        master = MasterRefresher(
            core=core,
            source=BseSource(session, settings.bse),
            guard=guards.add(LIST_SOURCE, "master", "master"),
        )
        if source.primary == "replay":
            master.due_ms = math.inf  # who plays a recording asks nobody else

        async def beat() -> None:
            if terms.leads:
                await store.beat(
                    feed.status(
                        store.now_ms(),
                        shell.instance,
                        calendar.session(),
                        instruments.master.version,
                    )
                )

        def detail() -> dict[str, Any]:
            return {
                "active": terms.active,
                "shards": len(terms.writers),
                "source": feed.source,
                "state": feed.state(calendar.session()),
                "rows": feed.rows,
                "rejected_rows": feed.rejected_rows,
                "last_error": feed.last_error,
                "session": str(calendar.session().phase),
                "calendar_ends_in_days": calendar.session().calendar_ends_in_days,
                "suspect": feed.suspect(),
                "order": core.orders.told(),
                **{f"{r.source} {r.endpoint}": r.circuit for r in guards.records()},
            }

        loops = [
            Loop("hold leases", terms.hold, poll.lease_ttl_s / 6),
            *pollers,
            Loop("obey", Obedience(FetcherControls(redis), core.orders).step, 0.5),
            Loop("read the master", master.step, 1),
            Loop("beat", beat, 1),
            Loop("reload the calendar", calendar.reload, 5),
            heartbeat_loop(
                shell,
                Instances(redis),
                store.now_ms,
                detail,
                lambda: "active" if terms.active else "standby",
            ),
        ]
        app = FastAPI(title="bse-fetcher", docs_url=None, redoc_url=None)
        try:
            yield Service(
                app=app,
                loops=loops,
                not_ready=lambda: (
                    [] if store.store_clock.known else ["the store was not reached yet"]
                ),
                detail=detail,
            )
        finally:
            with suppress(StoreUnavailable):
                await terms.leave()
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


@dataclass(frozen=True, slots=True)
class _Makers:
    """What the loops that ask for prices are made of."""

    settings: FetcherSettings
    core: Core
    guards: Guards
    feed: Feed
    calendar: CalendarSource
    session: aiohttp.ClientSession
    demand: Demand

    def batches(self, source: BatchSource, guard: Guard) -> BatchPoller:
        """A batch poller that works while the market is not closed."""
        demand = self.settings.demand
        intervals_ms = {
            Tier.HOT: demand.hot_interval_s * 1000,
            Tier.WARM: demand.warm_interval_s * 1000,
            Tier.COLD: demand.cold_interval_s * 1000,
        }
        return BatchPoller(
            core=self.core,
            source=source,
            guard=guard,
            schedule=Schedule(intervals_ms, source.symbols_max),
            demand=self.demand,
            is_wanted=lambda: self.calendar.session().phase != "closed",
        )

    def batch_source(self, name: str) -> BatchSource:
        """The batch source of that name."""
        return cast("BatchSource", SOURCES[name].make(self.session, self.settings))


def _pollers(make: _Makers, board: DemandBoard) -> list[Loop]:
    """The loops that ask for prices: the primary's, the backup's where there is one, and what readers miss."""
    if make.settings.source.primary not in LIST_SOURCES:
        name = make.settings.source.primary
        primary = make.batches(
            make.batch_source(name), make.guards.add(name, "quotes", "primary")
        )
        primary.feed = make.feed
        loops = [Loop("poll batches", primary.run, silence_max_s=None)]
        fetch: Fetch | None = primary.fetch
    else:
        loops, fetch = _list_pollers(make)
    wishes = DemandFollower(make.core, board, make.demand, board.missed, fetch)
    if make.settings.source.validate_by:
        loops.append(_cross_check(make))
    return [
        *loops,
        Loop("follow the demand", wishes.step, 2),
        Loop("serve readers that miss", wishes.serve, silence_max_s=None),
    ]


def _history(make: _Makers, history: MarketHistory) -> list[Loop]:
    keeper = HistoryKeeper(make.core, history, make.calendar.session)
    summariser = Summariser(make.core, history)
    make.core.publisher.listeners += (keeper.took, summariser.took)
    loops = [
        Loop("keep the minutes", keeper.step, 5),
        Loop("sum the market up", summariser.step, PAUSE_S),
        Loop("collect garbage", Tidier(make.core.publisher).step, PAUSE_S),
    ]
    bse = make.settings.bse
    if sources := _minute_sources(make):
        filler = GapFiller(
            core=make.core,
            sources=sources,
            history=history,
            demand=make.demand,
            is_wanted=lambda: make.calendar.session().phase != "closed",
            pauses=lambda: keeper.maker.pauses,
        )
        loops.append(Loop("fill the gaps", filler.step, 1))
    if make.settings.replay.record_to:
        recorder = Recorder(make.core, Path(make.settings.replay.record_to))
        make.core.publisher.listeners.append(recorder.took)
        loops.append(Loop("record the day", recorder.step, RECORD_S))
    interval_s = bse.indices_interval_s
    if interval_s > 0 and make.settings.source.primary == LIST_SOURCE:
        reader = IndexReader(
            core=make.core,
            source=BseSource(make.session, bse),
            guard=make.guards.add(LIST_SOURCE, "indices", "indices"),
            history=history,
            is_wanted=lambda: make.calendar.session().phase != "closed",
        )
        loops.append(Loop("read the indices", reader.step, interval_s))
    return loops


def _minute_sources(make: _Makers) -> list[tuple[MinuteSource, Guard]]:
    """Who is asked for minutes that were missed, the exchange first; nobody else while a recording is played."""
    settings, guards = make.settings, make.guards
    found: list[tuple[MinuteSource, Guard]] = []
    if settings.source.primary == LIST_SOURCE and settings.bse.details_per_s > 0:
        guard = guards.add(LIST_SOURCE, "minutes", "details", DETAILS)
        found.append((BseSource(make.session, settings.bse), guard))
    if settings.source.primary != "replay" and settings.yahoo.charts_per_s > 0:
        guard = guards.add("yahoo", "chart", "details", CHARTS)
        found.append((YahooSource(make.session, settings.yahoo), guard))
    return found


def _cross_check(make: _Makers) -> Loop:
    chosen = make.settings.source
    checker = CrossChecker(
        core=make.core,
        source=make.batch_source(chosen.validate_by),
        guard=make.guards.add(chosen.validate_by, "comparison", "validation"),
        check=CrossCheck(chosen.tolerance_percent, TIMES_APART_MAX_MS),
        demand=make.demand,
        is_wanted=lambda: make.calendar.session().phase == "open",
    )
    return Loop(
        "compare with a second source", checker.step, chosen.validate_interval_s
    )


def _list_pollers(make: _Makers) -> tuple[list[Loop], Fetch | None]:
    settings, core, guards = make.settings, make.core, make.guards
    chosen, poll = settings.source, settings.poll
    bse = BseSource(make.session, settings.bse)
    made = SOURCES[chosen.primary].make(make.session, settings)
    poller = Poller(
        core=core,
        source=cast("ListSource", made),
        guard=guards.add(chosen.primary, "market", "primary"),
        feed=make.feed,
        pace=Pace(poll.interval_s, poll.closed_interval_s),
        session=make.calendar.session,
        frozen=FrozenFeed(poll.frozen_after_s * 1000),
    )
    loops = [Loop("poll the exchange", poller.step, 0.05)]
    if chosen.backup:
        backup = make.batches(
            make.batch_source(chosen.backup),
            guards.add(chosen.backup, "quotes", "backup"),
        )
        backup.is_wanted = lambda: poller.is_late(chosen.hedge_after_s)
        loops.append(Loop("poll the backup", backup.run, silence_max_s=None))
    if chosen.primary != LIST_SOURCE:
        return loops, None  # who plays a recording asks nobody else
    if settings.bse.details_per_s > 0:
        details = make.batches(
            BseDetailSource(bse, core.clock.wall_ms),
            guards.add(LIST_SOURCE, "details", "details", DETAILS),
        )
        details.details = True
        loops.append(Loop("read details", details.run, silence_max_s=None))
    header = make.batches(
        BseHeaderSource(bse), guards.add(LIST_SOURCE, "header", "on demand")
    )
    return loops, header.fetch
