"""Stored sets find their way to clients, whatever happens while they are read."""

import asyncio

import pytest

from bse_shared.quotes.modes import Mode
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.instances import Subscriptions
from bse_shared.testing.builders import RELIANCE, TCS
from bse_shared.wire.records import SubscriptionRecord, WantedScrips, to_json


class Gate(Subscriptions):
    """The real store, one of whose reads waits until it is let pass, and may find the store away."""

    def __init__(self, redis):
        super().__init__(redis)
        self.reads = 0
        self.waits_at = 2
        self.waits = asyncio.Event()
        self.opened = asyncio.Event()
        self.error = None

    async def load(self, client_id):
        """Read it."""
        self.reads += 1
        if self.reads == self.waits_at:
            self.waits.set()
            await self.opened.wait()
            if self.error is not None:
                raise self.error
        return await super().load(client_id)


@pytest.fixture
async def tasks():
    """Runs what a test starts beside itself."""
    async with asyncio.TaskGroup() as group:
        yield group


@pytest.fixture
def gate(hub, redis):
    """Before the stored sets of a hub. A client's set is read before its door opens, and once it is connected."""
    writer = hub.service.drain.__self__.writer
    writer.subscriptions = Gate(redis)
    return writer.subscriptions


async def test_who_leaves_while_its_set_is_read_is_forgotten(hub, gate, connect, until):
    """Nothing of it comes back with the answer."""
    leaving = await connect(hub, query="?client_id=desk")
    await asyncio.wait_for(gate.waits.wait(), 5)
    await leaving.socket.close()
    await until(lambda: not hub.clients.all)
    gate.opened.set()
    await connect(hub, query="?client_id=other")
    await until(lambda: gate.reads == 4)  # the first one's is through

    assert {"other"} == set(hub.clients.by_client_id)
    assert 1 == len(hub.clients.expiry._expired) + len(hub.clients.all)


async def test_who_is_refused_after_all_leaves_no_place_taken(
    hub, gate, connect, until, tasks
):
    """The hub drains while the door is about to open."""
    gate.waits_at = 1
    coming = tasks.create_task(connect(hub, greet=False, query="?client_id=desk"))
    await asyncio.wait_for(gate.waits.wait(), 5)
    assert 1 == hub.left_over()["admissions"]
    hub.clients.draining = True
    gate.opened.set()
    client = await coming

    assert 1001 == await client.closed()
    await until(lambda: not any(hub.left_over().values()))


async def test_a_session_that_ends_before_it_is_let_in_is_forgotten(
    hub, gate, http, until, log_lines
):
    """At the Socket.IO door, while its set is read: nothing is answered, logged or kept."""
    gate.waits_at = 1
    url = f"{hub.url}/socket.io/?EIO=4&transport=websocket"
    async with http.ws_connect(url) as ws:
        await ws.send_str('40{"client_id":"desk"}')
        await asyncio.wait_for(gate.waits.wait(), 5)
    (eio_sid,) = hub.door._admitted
    await hub.door.ends.cut(eio_sid)
    assert eio_sid not in hub.door.server.environ
    gate.opened.set()
    await until(lambda: not any(hub.left_over().values()))

    assert [] == log_lines.all()


async def store_silently(redis, scrip):
    """Somebody's set for the client, of which nobody is told."""
    wants = [WantedScrips(codes=[scrip.code], mode=Mode.LTP)]
    record = SubscriptionRecord(client_id="desk", wants=wants, updated_at_ms=1)
    await redis.set(keys.subscription("desk"), to_json(record))


async def test_a_set_that_could_not_be_read_is_read_later(hub, gate, connect, redis):
    """What was stored while the store was away for a moment is taken as soon as it is back."""
    client = await connect(hub, query="?client_id=desk")
    await asyncio.wait_for(gate.waits.wait(), 5)
    await store_silently(redis, TCS)
    gate.error = StoreUnavailable("cut off")
    gate.opened.set()
    async with asyncio.timeout(5):
        told = await client.until("subscribed")

    assert [TCS.code] == [item["code"] for item in told["symbols"]]


async def test_what_the_client_has_changed_since_is_not_undone(
    hub, gate, connect, redis, until
):
    """The store tells of an older set while the newer one is on its way there."""
    writer = hub.service.drain.__self__.writer
    gate.opened.set()
    client = await connect(hub, query="?client_id=desk")
    await until(lambda: gate.reads == 2)
    await client.send(op="subscribe", symbols=["TCS"])
    await client.until("subscribed")
    await until(lambda: not writer.is_pending("desk"))
    await until(lambda: gate.reads == 3)  # the hub has heard of its own writing
    await client.send(op="subscribe", symbols=["RELIANCE"])
    await client.until("subscribed")
    assert writer.is_pending("desk")
    await redis.publish(keys.SUBSCRIPTION_CHANNEL, "desk")
    await until(lambda: gate.reads == 4)
    await until(lambda: not writer.is_pending("desk"))
    record = await Subscriptions(redis).load("desk")

    assert [TCS.code, RELIANCE.code] == record.codes
    assert [] == [m for m in client.taken if m.get("type") == "subscribed"]
