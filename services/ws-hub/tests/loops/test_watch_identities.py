"""All proofs are looked at now and then: what a revocation does not tell, ends streams too."""

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.signing import Signing
from bse_ws_hub.loops.watch_identities import ALL_INTERVAL_MS, IdentityWatch


async def test_a_withdrawn_key_ends_the_streams_that_it_proved(
    start_hub, connect, signing, market, redis
):
    """At the next look, which comes every five seconds; others go on."""
    await AccessStore(redis).publish_key(signing.record, market.store.now_ms())
    hub = await start_hub({"mode": "optional"})
    headers = {"Authorization": f"Bearer {signing.token()}"}
    proved, nobody = await connect(hub, headers=headers), await connect(hub)
    watch = IdentityWatch(hub.clients)
    await watch.step()
    other = Signing(SystemClock()).record
    await AccessStore(redis).publish_key(other, market.store.now_ms())
    await redis.hdel(keys.SIGNING_KEYS, signing.record.key_id)
    await hub.clients.doorkeeper.proofs.access.read()
    await watch.step()
    assert 2 == len(hub.clients.all)  # it has just looked
    watch._all_due_ms -= ALL_INTERVAL_MS
    await watch.step()

    assert 4502 == await proved.closed()
    await nobody.send(op="ping")
    await nobody.until("pong")
