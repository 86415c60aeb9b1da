"""A hub's doorkeeper on a real store."""

import asyncio
from typing import NamedTuple

import pytest

from bse_shared.access.tokens import TokenRules
from bse_shared.redis_edge.access_follower import AccessFollower
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import RedisSettings, open_redis
from bse_shared.redis_edge.stream_leases import StreamLeases
from bse_shared.service.system_clock import SystemClock
from bse_ws_hub.admission.arrivals import Arrivals
from bse_ws_hub.admission.asked import Asked
from bse_ws_hub.admission.doorkeeper import Doorkeeper
from bse_ws_hub.admission.identity import Ceiling
from bse_ws_hub.admission.lease_desk import LeaseDesk
from bse_ws_hub.admission.proofs import Proofs
from bse_ws_hub.admission.refused import Refused
from bse_ws_hub.admission.takeovers import Takeovers


class Door(NamedTuple):
    """A doorkeeper, what it follows, and what it told."""

    keeper: Doorkeeper
    access: AccessFollower
    refused: list
    taken: list

    async def admit(self, host="192.0.2.1", **asked):
        """Let one in, as a door does."""
        self.keeper.arrive(host)
        return await self.keeper.admit(Asked(**asked), host)

    async def why_not(self, host="192.0.2.1", **asked):
        """Why it was refused: reason and detail."""
        with pytest.raises(Refused) as caught:
            await self.admit(host, **asked)
        assert caught.value is self.refused[-1]
        return caught.value.why.reason, caught.value.detail


@pytest.fixture
async def doors(redis, signing):
    """Makes hubs' doorkeepers whose loops run."""
    await AccessStore(redis).publish_key(signing.record, SystemClock().wall_ms())
    tasks = asyncio.TaskGroup()
    running = []

    async def make(name="h1", mode="optional", client=redis, **changed):
        clock = SystemClock()
        leases = StreamLeases(client, clock, name)
        store = AccessStore(client)
        access = AccessFollower(store, clock, TokenRules("bse-gateway", "bse-quotes"))
        desk = LeaseDesk(leases)
        refused, taken = [], []
        door = Doorkeeper(
            mode=mode,
            name=name,
            ceiling=Ceiling(10_000, 200),
            proofs=Proofs(access, store, clock, changed.pop("failures_per_minute", 10)),
            store=store,
            desk=desk,
            takeovers=Takeovers(leases, clock.wall_ms),
            arrivals=Arrivals(changed.pop("arrivals_per_s", 1000)),
            clock=clock,
            on_refused=refused.append,
            on_taken_over=taken.append,
        )
        if client is redis:
            await access.read()
            await desk.renew()

        async def steps():
            while not asyncio.current_task().cancelling():
                await desk.step()

        running.append(tasks.create_task(steps()))
        return Door(door, access, refused, taken)

    async with tasks:
        yield make
        for each in running:
            each.cancel()


@pytest.fixture
async def nowhere():
    """A client of a store that is away."""
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "t") as client:
        yield client
