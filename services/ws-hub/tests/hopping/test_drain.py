"""A hub goes away while prices move: everybody is told when to come back, and loses nothing by it."""

import asyncio
import signal

import pytest

from bse_ws_hub.hub.disconnects import GOING_AWAY


CLIENTS = 32
SPREAD_S = 3
"""Other than the default, so that it shows."""

TOLD_WITHIN_S = 10


async def until_told(client):
    """Read to the end; then nothing more is owed by this hub."""
    async with asyncio.timeout(TOLD_WITHIN_S):
        while await client.step():
            pass


async def drain(market, clients, drain_first, urls):
    """Everybody is at the first hub, which ends; the market goes on. In the end all hold the closing prices."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        trading = group.create_task(market.keep_trading(stop))
        async with asyncio.TaskGroup() as coming:
            for client in clients:
                coming.create_task(_arrive(client, urls[0]))
        draining = group.create_task(drain_first())
        async with asyncio.TaskGroup() as leaving:
            for client in clients:
                leaving.create_task(until_told(client))
        stop.set()
        await trading
        await market.close_prices()  # nobody is anywhere: this must not be lost
        images = await market.images()
        beating = group.create_task(market.keep_beating())
        async with asyncio.TaskGroup() as returning:
            for client in clients:
                returning.create_task(_return(client, urls[1], images))
        await draining
        beating.cancel()


async def _arrive(client, url):
    await client.come(url)
    await client.stay(5)


async def _return(client, url, images):
    client.close_code = client.link.close_code
    await client.leave("close")
    await client.come(url)
    await client.settle(images)
    await client.leave("close")


def check_goodbyes(clients, spread_ms):
    """Each with a time of its own within the window."""
    goodbyes = [client.goodbye for client in clients]
    assert all(goodbyes), [client.name for client in clients if not client.goodbye]
    assert {(GOING_AWAY.reason, True)} == {
        (goodbye["reason"], goodbye["reconnect"]) for goodbye in goodbyes
    }
    after_ms = sorted(goodbye["after_ms"] for goodbye in goodbyes)
    assert 0 <= after_ms[0] < spread_ms / 2 < after_ms[-1] < spread_ms
    assert len(set(after_ms)) > CLIENTS / 2
    assert {GOING_AWAY.code} == {c.close_code for c in clients if c.close_code}
    assert any(client.close_code for client in clients)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_drained_hub_sends_everybody_to_the_next(
    busy_market, two_hubs, travellers, seed, until
):
    """A goodbye with a delay, the close code; then, at the other hub, what came meanwhile."""
    clients = travellers(CLIENTS, seed)
    first, second = two_hubs
    first.clients.settings.drain_spread_s = SPREAD_S
    await drain(busy_market, clients, first.service.drain, [first.url, second.url])
    for hub in two_hubs:
        await until(lambda hub=hub: not any(hub.left_over().values()))

    check_goodbyes(clients, SPREAD_S * 1000)
    assert sum(client.witness.counts["resumed"] for client in clients) > CLIENTS


async def test_a_terminated_process_does_the_same(
    busy_market, hub_processes, travellers
):
    """SIGTERM, with the default window of 5 s; the process ends by itself."""
    clients = travellers(CLIENTS, 3)
    (first, _), _ = hub_processes
    urls = [url for _, url in hub_processes]

    async def terminate():
        first.send_signal(signal.SIGTERM)
        await first.wait()

    await drain(busy_market, clients, terminate, urls)

    check_goodbyes(clients, 5000)
    assert 0 == first.returncode
