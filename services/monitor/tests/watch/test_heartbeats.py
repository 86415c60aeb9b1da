"""Heartbeats, read from a real server."""

import pytest

from bse_monitor.watch.heartbeats import Heartbeats
from bse_shared.redis_edge.instances import Instances


NOW_MS = 1_795_334_400_000


@pytest.fixture
def instances(redis):
    """Where heartbeats are left."""
    return Instances(redis)


async def test_every_instance_that_beats_is_found(instances, a_beat):
    """By what it left itself; one that takes its leave is gone."""
    await instances.beat(a_beat("gateway", "g-1"))
    await instances.beat(a_beat("gateway", "g-2"))
    await instances.leave("gateway", "g-2")

    assert [a_beat("gateway", "g-1")] == (
        await Heartbeats(instances, (), 10).read(NOW_MS)
    )


async def test_beyond_the_limit_strangers_and_the_dead_are_left_out(instances, a_beat):
    """A flood of foreign records cannot hide the expected services."""
    for n in range(3):
        await instances.beat(a_beat("a-stranger", f"s-{n}"))
    await instances.beat(a_beat("gateway", "dead", age_ms=60_000))
    await instances.beat(a_beat("gateway", "live"))

    found = await Heartbeats(instances, {"gateway"}, 2).read(NOW_MS)

    assert ["live", "dead"] == [beat.instance for beat in found]
