"""Operators' drains, from the store to a client that is sent away and comes back."""

import pytest

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import RedisSettings, StoreUnavailable, open_redis
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.wire.records import ALL_HUBS, DrainRecord
from bse_ws_hub.hub.disconnects import GOING_AWAY
from bse_ws_hub.loops.obey import DrainObedience


class Orders:
    """An operator with the store's clock."""

    def __init__(self, redis, store):
        self.controls, self._now_ms = HubControls(redis), store.now_ms

    def order(self, instance, for_s=60):
        """A drain, or with no time the end of one."""
        now_ms = self._now_ms()
        return DrainRecord(
            by="asha", at_ms=now_ms, ends_at_ms=now_ms + for_s * 1000, instance=instance
        )

    async def drain(self, instance):
        """For a minute."""
        await self.controls.drain(self.order(instance))

    async def resume(self, instance):
        """At once."""
        await self.controls.resume(self.order(instance, 0))


@pytest.fixture
def operator(redis, market):
    """Somebody who may."""
    return Orders(redis, market.store)


@pytest.mark.parametrize("instance", ["hub-1", ALL_HUBS])
async def test_a_drained_hub_sends_everybody_away_until_it_is_resumed(
    hub, connect, until, operator, http, instance
):
    """As at its end: a goodbye with a time to come back, not ready, nobody let in."""
    client = await connect(hub)
    await operator.drain(instance)
    goodbye = await client.until("goodbye")
    assert (GOING_AWAY.reason, True) == (goodbye["reason"], goodbye["reconnect"])
    assert GOING_AWAY.code == await client.closed()
    assert ["drained by asha"] == hub.service.not_ready()
    assert not hub.clients.all
    refused = await connect(hub, greet=False)
    assert GOING_AWAY.code == await refused.closed()
    answer = await http.get(f"{hub.url}/sse?symbols=TCS")
    assert 503 == answer.status

    await operator.resume(instance)
    await until(lambda: not hub.clients.draining)
    assert [] == hub.service.not_ready()
    again = await connect(hub)
    await again.send(op="subscribe", symbols=["TCS"])
    await again.until("image")


async def test_the_drain_of_another_hub_is_nothing_to_this_one(
    hub, operator, redis, market
):
    """Nor is one whose time is over."""
    await operator.drain("hub-2")
    await operator.drain("hub-1")
    late_ms = market.store.now_ms() + 60_001
    obedience = DrainObedience(
        HubControls(redis), "hub-1", lambda: late_ms, hub.clients, None, lambda: False
    )
    await obedience.step()
    assert [] == obedience.reasons()


class Hub:
    """What a drain does to a hub, as a list."""

    def __init__(self):
        self.draining = False
        self.done = []

    async def send_away(self):
        """As the door does."""
        self.draining = True
        self.done.append("sent away")


async def test_with_the_store_away_a_drain_stands_until_its_own_end(
    redis, operator, market
):
    """What is not read is not lifted; its end is known."""
    hub, at_ms = Hub(), [market.store.now_ms()]
    async with open_redis(RedisSettings(url="redis://127.0.0.1:1/0"), "t") as away:
        obedience = DrainObedience(
            HubControls(redis),
            "hub-1",
            lambda: at_ms[0],
            hub,
            hub.send_away,
            lambda: False,
        )
        await operator.drain("hub-1")
        await obedience.step()
        obedience.controls = HubControls(away)
        with pytest.raises(StoreUnavailable):
            await obedience.step()
        assert (["sent away"], ["drained by asha"]) == (hub.done, obedience.reasons())
        at_ms[0] += 60_001
        with pytest.raises(StoreUnavailable):
            await obedience.step()
    assert (False, []) == (hub.draining, obedience.reasons())


async def test_who_is_ending_takes_nobody_again(redis, operator):
    """Whatever is ordered: the process goes."""
    hub, ending = Hub(), []
    obedience = DrainObedience(
        HubControls(redis),
        "hub-1",
        lambda: 1,
        hub,
        hub.send_away,
        lambda: bool(ending),
    )
    await operator.drain("hub-1")
    await obedience.step()
    ending.append(True)
    await redis.delete(keys.HUB_DRAINS)
    await obedience.step()
    assert hub.draining
