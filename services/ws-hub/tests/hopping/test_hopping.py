"""Clients hop between two replicas under load: no value is wrong, missing, or older than what they had."""

import asyncio
from collections import Counter

import pytest


CLIENTS = 32
VISITS = 6
WITHIN_S = 25
WAYS = ("close", "abort", "half-close")


async def travel(client, urls, visited):
    """Visit one hub after another; stay at the last."""
    rng = client.rng
    for visit in range(VISITS):
        await client.come(urls[(visit + rng.randrange(2)) % 2])
        await client.stay(rng.choice([1, 3, 10, len(client.codes)]))
        await client.leave(rng.choice(WAYS))
        visited()
    await client.come(urls[rng.randrange(2)])
    await client.stay(3)


class Fate:
    """What befalls the market while clients travel: fetchers take over, a hub's bus breaks."""

    def __init__(self, market):
        total = CLIENTS * VISITS
        self._due = market.due
        self._visits = 0
        self._events = {
            total // 4: market.cut_bus,
            total // 2: market.take_over,
            total * 5 // 8: market.cut_bus,
            total * 3 // 4: market.take_over,
        }

    def visited(self):
        """Somebody leaves a hub."""
        self._visits += 1
        if self._visits in self._events:
            self._due.append(self._events[self._visits])


async def hop(market, clients, urls):
    """The whole journey; what the clients saw, by kind."""
    fate, stop = Fate(market), asyncio.Event()
    async with asyncio.timeout(WITHIN_S), asyncio.TaskGroup() as group:
        trading = group.create_task(market.keep_trading(stop))
        async with asyncio.TaskGroup() as travels:
            for client in clients:
                travels.create_task(travel(client, urls, fate.visited))
        stop.set()
        await trading
        await market.close_prices()
        images = await market.images()
        beating = group.create_task(market.keep_beating())
        async with asyncio.TaskGroup() as settling:
            for client in clients:
                settling.create_task(client.settle(images))
        beating.cancel()
    for client in clients:
        await client.leave("close")
    return sum((client.witness.counts for client in clients), Counter())


def saw_everything(counts):
    """A journey on which nothing happened would prove nothing."""
    kinds = ("images", "updates", "resumed", "re-imaged", "digests", "lost")
    return all(counts[kind] > 10 for kind in kinds)


@pytest.mark.parametrize("seed", [1, 2])
async def test_who_hops_between_hubs_holds_what_was_written(
    busy_market, two_hubs, travellers, seed, until
):
    """Every value of every message is what the writer wrote at that position; in the end all hold the store's."""
    counts = await hop(
        busy_market, travellers(CLIENTS, seed), [hub.url for hub in two_hubs]
    )
    for hub in two_hubs:
        await until(lambda hub=hub: not any(hub.left_over().values()))

    assert saw_everything(counts), counts


async def test_the_same_between_two_processes(busy_market, hub_processes, travellers):
    """As it is deployed: nothing is shared but the store."""
    urls = [url for _, url in hub_processes]
    counts = await hop(busy_market, travellers(CLIENTS, 3), urls)

    assert saw_everything(counts), counts
