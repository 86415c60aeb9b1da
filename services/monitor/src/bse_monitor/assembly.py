"""The composition root of the monitor: the only place that constructs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from bse_monitor.dashboard.app import create_app
from bse_monitor.loops.observe import Observer
from bse_monitor.metrics import MonitorMetrics
from bse_monitor.rules.instance_verdict import is_missing
from bse_monitor.settings import MonitorSettings
from bse_monitor.watch.heartbeats import Heartbeats
from bse_monitor.watch.lookout import Lookout
from bse_monitor.watch.service_probes import open_probes
from bse_monitor.watch.store_view import StoreView
from bse_shared.redis_edge.connection import StoreUnavailable, open_redis
from bse_shared.redis_edge.instances import Instances
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.heartbeat import heartbeat_loop
from bse_shared.service.loops import Loop
from bse_shared.service.runner import Service, Shell


@asynccontextmanager
async def assemble(settings: MonitorSettings, shell: Shell) -> AsyncIterator[Service]:
    """Build the monitor; it takes its leave when it ends."""
    observe = settings.observe
    limits = observe.limits
    async with (
        open_redis(settings.redis, shell.instance) as redis,
        open_probes(
            shell.clock, observe.probe_deadline_s, observe.probes_at_once
        ) as probes,
    ):
        store = MarketStore(redis, shell.clock, settings.market.shards)
        instances = Instances(redis)
        lookout = Lookout(
            StoreView(store, shell.clock),
            Heartbeats(instances, limits.wanted, observe.instances_max),
            probes,
            partial(is_missing, limits=limits),
        )
        observer = Observer(
            lookout.look,
            limits,
            shell.clock,
            MonitorMetrics(shell.registry),
            events_kept=observe.events_kept,
            view_stale_after_ms=observe.view_stale_after_s * 1000,
        )
        try:
            yield Service(
                app=create_app(observer.view),
                loops=[
                    Loop("observe", observer.step, observe.observe_interval_s),
                    heartbeat_loop(shell, instances, store.now_ms),
                ],
                not_ready=observer.not_ready,
                detail=lambda: {"overall": observer.view().status.health.value},
            )
        finally:
            with suppress(StoreUnavailable):
                await instances.leave(shell.service, shell.instance)
