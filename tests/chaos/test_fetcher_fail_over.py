"""Two fetchers: one polls, one stands by; whoever dies or freezes, the other goes on, and no one else writes."""

import signal

import pytest


async def active(cluster):
    """The name of the fetcher that polls."""
    for name in ("fetcher", "fetcher-2"):
        if name in cluster.running:
            try:
                if (await cluster.get(name, "/health")).get("active"):
                    return name
            except (OSError, TimeoutError):
                continue
    return None


async def with_standby(cluster):
    """Start a second fetcher and wait until it stands by."""
    cluster.start("fetcher-2")
    await cluster.until_ready("fetcher-2")
    assert "fetcher" == await active(cluster)


async def epoch(cluster):
    """The epoch in which RELIANCE last changed."""
    return (await cluster.quote())["position"]["epoch"]


@pytest.mark.timeout(90)
async def test_a_killed_fetcher_is_replaced_within_five_seconds(running_cluster):
    """The shards move, the epoch grows, prices stay live for those who watch."""
    cluster = running_cluster
    await with_standby(cluster)
    before = await epoch(cluster)

    cluster.signal("fetcher", signal.SIGKILL)

    async def taken_over():
        return (await cluster.get("fetcher-2", "/health"))["active"]

    assert 5 > await cluster.until("the standby is active", taken_over)

    async def new_epoch():
        return await epoch(cluster) > before

    await cluster.until("quotes of a new epoch", new_epoch)
    assert "live" == (await cluster.quote())["quality"]


@pytest.mark.timeout(90)
async def test_a_fetcher_that_was_frozen_cannot_write_when_it_wakes(running_cluster):
    """It finds its lease gone, and stands by."""
    cluster = running_cluster
    await with_standby(cluster)

    cluster.signal("fetcher", signal.SIGSTOP)

    async def taken_over():
        return (await cluster.get("fetcher-2", "/health"))["active"]

    await cluster.until("the standby is active", taken_over)
    first = await epoch(cluster)
    cluster.signal("fetcher", signal.SIGCONT)

    async def stands_by():
        return not (await cluster.get("fetcher", "/health"))["active"]

    await cluster.until("the frozen one stands by", stands_by)

    async def still_the_others():
        status = await cluster.get("monitor", "/status")
        roles = {
            i["instance"]: i["role"]
            for s in status["services"]
            if s["service"] == "fetcher"
            for i in s["instances"]
        }
        return sorted(roles.values()) == ["active", "standby"]

    await cluster.until("one active, one standby in the status", still_the_others)
    assert await epoch(cluster) >= first
    assert "live" == (await cluster.quote())["quality"]
    assert "fetcher-2" == await active(cluster)


@pytest.mark.timeout(90)
async def test_an_orderly_stop_hands_over_at_once(running_cluster):
    """SIGTERM gives the leases back: no waiting for their end."""
    cluster = running_cluster
    await with_standby(cluster)

    cluster.signal("fetcher", signal.SIGTERM)

    async def taken_over():
        return (await cluster.get("fetcher-2", "/health"))["active"]

    assert 2.5 > await cluster.until("the standby is active", taken_over)
    assert 0 == cluster.running.pop("fetcher").wait(10)
