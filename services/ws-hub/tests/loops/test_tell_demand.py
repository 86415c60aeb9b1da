"""What is watched at a hub stands on the board that the fetchers read."""

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.testing.builders import RELIANCE, TCS
from bse_ws_hub.hub.hub import Hub
from bse_ws_hub.loops.tell_demand import DemandTeller


async def test_a_hub_tells_what_its_clients_watch(hub, redis, market, connect, until):
    """As soon as the next report; nothing any more once they have gone."""
    teller = DemandTeller(
        DemandBoard(redis), hub.clients.hub, "hub-1.test", market.store.now_ms
    )
    slow, live = await connect(hub), await connect(hub)
    await slow.send(op="subscribe", symbols=["RELIANCE"], max_hz=1)
    await live.send(op="subscribe", symbols=["TCS"])
    for client in (slow, live):
        await client.until("image")
    await teller.step()
    watched = await teller.board.watched(market.store.now_ms())
    for client in (slow, live):
        await client.socket.close()
    await until(lambda: not hub.clients.all)
    await teller.step()

    assert {RELIANCE.code, TCS.code} <= watched
    assert not await redis.hexists(keys.DEMAND_WATCHED, teller.name)


async def test_nobody_watches_nothing_is_told(redis):
    """An idle hub leaves no trace on the board."""
    teller = DemandTeller(DemandBoard(redis), Hub(), "hub-2", lambda: 1)
    await teller.step()

    assert 0 == await redis.dbsize()
