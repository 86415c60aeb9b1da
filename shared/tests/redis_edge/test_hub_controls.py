"""Drains in the store."""

import pytest

from bse_shared.redis_edge import keys
from bse_shared.redis_edge.fetcher_controls import ORDER_MAX_S, WrongOrder
from bse_shared.redis_edge.hub_controls import HubControls
from bse_shared.wire.records import DrainRecord


NOW_MS = 1_795_334_400_000


def drain(instance, for_s=60, at_ms=NOW_MS, by="asha"):
    """An order."""
    return DrainRecord(
        by=by, at_ms=at_ms, ends_at_ms=at_ms + for_s * 1000, instance=instance
    )


async def test_each_drain_stands_until_its_end(redis):
    """All orders are in the log, and what is over is forgotten with the next one."""
    controls = HubControls(redis)
    short, long, all_ = drain("hub-1", 1), drain("hub-2", 60), drain("*", 5)
    for order in (short, long, all_):
        await controls.drain(order)
    assert {"hub-1": short, "hub-2": long, "*": all_} == await controls.in_force(NOW_MS)
    assert {"hub-2": long, "*": all_} == await controls.in_force(NOW_MS + 1000)
    later = drain("hub-3", at_ms=NOW_MS + 1000)
    await controls.drain(later)

    assert 3 == await redis.hlen(keys.HUB_DRAINS)
    assert [short, long, all_, later] == await controls.log()
    assert 0 < await redis.ttl(keys.HUB_DRAINS) <= ORDER_MAX_S


@pytest.mark.parametrize(("instance", "left"), [("hub-1", {"*"}), ("*", set())])
async def test_a_resumed_hub_is_drained_no_more(redis, instance, left):
    """Of one, or of all."""
    controls = HubControls(redis)
    await controls.drain(drain("hub-1"))
    await controls.drain(drain("*"))
    await controls.resume(drain(instance, 0))
    assert left == set(await controls.in_force(NOW_MS))


@pytest.mark.parametrize(
    "order",
    [drain("*", 0), drain("*", -1), drain("*", ORDER_MAX_S + 1), drain("*", by=" ")],
)
async def test_an_order_without_an_end_or_an_author_is_refused(redis, order):
    """Nobody can forget a drained hub for longer than a day."""
    with pytest.raises(WrongOrder):
        await HubControls(redis).drain(order)


async def test_what_another_version_wrote_is_passed_over(redis):
    """And removed with the next order."""
    await redis.hset(keys.HUB_DRAINS, "hub-1", b"?")
    controls = HubControls(redis)
    assert {} == await controls.in_force(NOW_MS)
    await controls.drain(drain("hub-2"))
    assert 1 == await redis.hlen(keys.HUB_DRAINS)
