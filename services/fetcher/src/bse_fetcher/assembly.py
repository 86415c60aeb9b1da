"""The composition root of the fetcher: the only place that constructs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from fastapi import FastAPI

from bse_fetcher.feed import Feed
from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.loops.poll import Poller
from bse_fetcher.loops.refresh_master import MasterRefresher
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.pace import Pace
from bse_fetcher.polling.plausibility import Timeline
from bse_fetcher.publisher import Publisher
from bse_fetcher.session_source import CalendarSource
from bse_fetcher.settings import FetcherSettings
from bse_fetcher.sources.bse.client import BseClient
from bse_fetcher.terms import Terms
from bse_shared.redis_edge.connection import StoreUnavailable, open_redis
from bse_shared.redis_edge.instances import Instances
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.heartbeat import heartbeat_loop
from bse_shared.service.loops import Loop
from bse_shared.service.runner import Service, Shell


@asynccontextmanager
async def assemble(settings: FetcherSettings, shell: Shell) -> AsyncIterator[Service]:
    """Build the fetcher; give the leases back when it ends."""
    metrics = FetcherMetrics(shell.registry)
    poll = settings.poll
    async with (
        open_redis(settings.redis, shell.instance) as redis,
        aiohttp.ClientSession() as session,
    ):
        store = MarketStore(redis, shell.clock, settings.market.shards)
        terms = Terms(store, shell.clock, shell.instance, poll.lease_ttl_s, metrics)
        calendar = CalendarSource(poll, shell.clock)
        feed = Feed("bse", settings.market.shards, poll.interval_s)
        instruments = KnownInstruments()
        client = BseClient(session, settings.bse)
        pace = Pace(
            poll.interval_s,
            poll.closed_interval_s,
            poll.failing_interval_max_s,
            poll.forbidden_interval_s,
        )
        poller = Poller(
            client=client,
            terms=terms,
            store=store,
            clock=shell.clock,
            feed=feed,
            instruments=instruments,
            pace=pace,
            session=calendar.session,
            metrics=metrics,
            publisher=Publisher(terms, instruments, metrics, Timeline()),
        )
        master = MasterRefresher(
            client=client,
            terms=terms,
            store=store,
            clock=shell.clock,
            instruments=instruments,
            failed=lambda kind: metrics.polls.labels(f"master_{kind}").inc(),
        )

        async def beat() -> None:
            if terms.active:
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
                "source": feed.source,
                "state": feed.state(calendar.session()),
                "rows": feed.rows,
                "rejected_rows": feed.rejected_rows,
                "last_error": feed.last_error,
                "session": str(calendar.session().phase),
            }

        loops = [
            Loop("hold leases", terms.hold, poll.lease_ttl_s / 6),
            Loop("poll the exchange", poller.step, 0.05),
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
                await terms.release()
                await Instances(redis).leave(shell.service, shell.instance)
