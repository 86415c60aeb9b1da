"""The sign of life in the store."""

from bse_shared.redis_edge.instances import Instances
from bse_shared.service.heartbeat import HEARTBEAT_INTERVAL_S, heartbeat_loop


NOW_MS = 1_795_334_400_000


async def test_an_instance_tells_who_and_how_it_is(redis, shell, health):
    """Address, version, role, readiness and detail; the start is that of its first beat."""
    now = [NOW_MS]
    instances = Instances(redis)
    loop = heartbeat_loop(
        shell, instances, lambda: now[0], lambda: {"rows": 4300}, lambda: "active"
    )
    await loop.step()
    now[0] += 60_000
    health.draining = True
    await loop.step()

    (heartbeat,) = await instances.all(now[0])
    assert ("tiny", "tiny-1", "http://127.0.0.1:8000", "0.1.0", "active") == (
        heartbeat.service,
        heartbeat.instance,
        heartbeat.url,
        heartbeat.version,
        heartbeat.role,
    )
    assert (NOW_MS, NOW_MS + 60_000) == (heartbeat.started_at_ms, heartbeat.at_ms)
    assert (False, ["draining"]) == (heartbeat.ready, heartbeat.reasons)
    assert {"rows": 4300} == heartbeat.detail
    assert HEARTBEAT_INTERVAL_S == loop.interval_s


async def test_no_beat_before_the_stores_time_is_known(redis, shell):
    """A beat stamped 0 would look long dead."""
    instances = Instances(redis)
    await heartbeat_loop(shell, instances, lambda: 0).step()

    assert [] == await instances.all(NOW_MS)
