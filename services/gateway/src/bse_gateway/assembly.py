"""The composition root: everything of the gateway is made here, and closed here in reverse order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bse_gateway.metrics import GatewayMetrics
from bse_gateway.rest.app import create_app
from bse_gateway.rest.market import health_detail, not_ready
from bse_gateway.settings import GatewaySettings
from bse_shared.redis_edge.connection import open_redis
from bse_shared.redis_edge.instances import Instances, Subscriptions
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
        follower = QuoteFollower(redis, store)
        metrics = GatewayMetrics(shell.registry)
        metrics.watch(follower)

        def detail() -> dict[str, Any]:
            return health_detail(follower)

        yield Service(
            app=create_app(
                market=follower,
                subscriptions=Subscriptions(redis),
                settings=settings.rest,
                metrics=metrics,
                clock=shell.clock,
                version=shell.version,
            ),
            loops=[
                Loop("follow_bus", follower.follow_bus, silence_max_s=None),
                Loop("repair", follower.repair),
                heartbeat_loop(shell, Instances(redis), follower.now_ms, detail),
            ],
            not_ready=lambda: not_ready(follower),
            detail=detail,
        )
