"""Stored sets stay while somebody is connected, and run out a day after he has gone."""

import pytest

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.testing.builders import RELIANCE
from bse_ws_hub.keep_sets import ROUND_STEPS, SetKeeper


DAY_S = keys.SUBSCRIPTION_TTL_S
HOUR_S = 3600


class Store:
    """The store, in which time passes when the test says so."""

    def __init__(self, redis):
        self.redis = redis

    async def pass_hour(self):
        """What is stored has an hour less to live."""
        for name in await self.redis.keys("client:subscription:*") + (
            await self.redis.keys("bse:{access}:owner:*")
        ):
            left_s = await self.redis.ttl(name) - HOUR_S
            await (
                self.redis.expire(name, left_s)
                if left_s > 0
                else self.redis.delete(name)
            )

    async def codes(self, client_id):
        """The stored set, without keeping it."""
        data = await self.redis.get(keys.subscription(client_id))
        return data and [RELIANCE.code] * (str(RELIANCE.code).encode() in data)

    async def left_s(self, name):
        """How long a key has to live."""
        return await self.redis.ttl(name)


class CutOff(Subscriptions):
    """The real one, which can be cut off."""

    away = False

    async def keep(self, owners):
        """Keep, unless cut off."""
        if self.away:
            raise StoreUnavailable("cut off")
        return await super().keep(owners)


@pytest.fixture
def store(redis):
    """The store."""
    return Store(redis)


@pytest.fixture
def keeper(hub, redis):
    """The keeper of a hub, whose steps a test makes."""
    writer = hub.service.drain.__self__.writer
    return SetKeeper(hub.clients, CutOff(redis), writer)


@pytest.fixture
async def desk(hub, connect, until):
    """A client with a client id and a stored set."""
    client = await connect(hub, query="?client_id=desk")
    await client.send(op="subscribe", symbols=["RELIANCE"])
    await client.until("image")
    writer = hub.service.drain.__self__.writer
    await until(lambda: not writer.is_pending("desk"))
    return client


async def go_round(keeper):
    """An hour of the keeper's steps."""
    for _ in range(ROUND_STEPS):
        await keeper.step()


async def test_a_set_stays_while_its_client_is_connected(
    hub, desk, keeper, store, until
):
    """Three days on one stream; a day after its end the set is gone."""
    for _ in range(72):
        await go_round(keeper)
        await store.pass_hour()
    assert [RELIANCE.code] == await store.codes("desk")

    await go_round(keeper)
    await desk.socket.close()
    await until(lambda: not hub.clients.all)
    for _ in range(23):
        await go_round(keeper)
        await store.pass_hour()
    assert [RELIANCE.code] == await store.codes("desk")
    await store.pass_hour()
    assert await store.codes("desk") is None


async def test_who_comes_back_at_the_last_minute_has_a_day_again(
    hub, desk, connect, redis, store, until
):
    """The set that is read at the start is kept from then on."""
    await desk.socket.close()
    await until(lambda: not hub.clients.all)
    await redis.expire(keys.subscription("desk"), 60)
    again = await connect(hub, query="?client_id=desk")
    await again.until("image")

    assert DAY_S - 60 < await store.left_s(keys.subscription("desk"))


@pytest.mark.usefixtures("desk")
async def test_what_the_store_lost_is_stored_again(keeper, redis, store, until):
    """A Redis that came back empty has the sets of all who are connected within the hour."""
    await redis.delete(keys.subscription("desk"))
    await go_round(keeper)
    await until(lambda: not keeper.writer.is_pending("desk"))

    assert [RELIANCE.code] == await store.codes("desk")


async def test_nothing_is_stored_of_a_client_that_wants_nothing(
    hub, connect, keeper, redis
):
    """A name that was never used leaves no trace."""
    await connect(hub, query="?client_id=idle")
    await go_round(keeper)

    assert not keeper.writer.is_pending("idle")
    assert await redis.get(keys.subscription("idle")) is None


@pytest.mark.usefixtures("desk")
async def test_a_store_that_is_away_takes_nobodys_turn(keeper, redis, store):
    """The turn comes again when the store is back."""
    await redis.expire(keys.subscription("desk"), 60)
    keeper.subscriptions.away = True
    with pytest.raises(StoreUnavailable):
        await go_round(keeper)
    keeper.subscriptions.away = False
    await keeper.step()

    assert DAY_S - 60 < await store.left_s(keys.subscription("desk"))


async def test_the_owner_of_a_client_id_stays_too(
    start_hub, connect, signing, market, redis, store
):
    """Else the id would be anybody's while its owner is connected; and what was lost is his again."""
    await AccessStore(redis).publish_key(signing.record, market.store.now_ms())
    hub = await start_hub({"mode": "optional"})
    keeper = SetKeeper(hub.clients, Subscriptions(redis), None)
    headers = {"Authorization": f"Bearer {signing.token('key:mine')}"}
    await connect(hub, query="?client_id=desk", headers=headers)
    name = keys.client_owner("desk")
    assert b"key:mine" == await redis.get(name)
    for _ in range(30):
        await go_round(keeper)
        await store.pass_hour()
    assert b"key:mine" == await redis.get(name)

    await redis.delete(name)
    await go_round(keeper)
    assert (b"key:mine", DAY_S) == (await redis.get(name), await store.left_s(name))
