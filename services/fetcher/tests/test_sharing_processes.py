"""Two fetchers as processes that share a batch source: one is killed, one is frozen and wakes again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest

from bse_local_stack.ports import free_ports
from bse_shared.quotes.position import START
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.system_clock import SystemClock


SHARDS = 4
WITHIN_S = 20
TAKE_OVER_S_MAX = 5.0


@contextmanager
def fetcher(redis_url, exchange_url):
    """A fetcher of the broker's prices."""
    env = {
        **os.environ,
        "REDIS_URL": redis_url,
        "SOURCE_PRIMARY": "kite",
        "KITE_BASE_URL": exchange_url,
        "KITE_API_KEY": "key",
        "KITE_ACCESS_TOKEN": "access",
        "KITE_REQUESTS_PER_S": "20",
        "BSE_BASE_URL": exchange_url,
        "DEMAND_COLD_INTERVAL_S": "1",
        "POLL_SESSION": "always_open",
        "MARKET_SHARDS": str(SHARDS),
        "HTTP_PORT": str(free_ports(1)[0]),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "bse_fetcher"],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def until(condition):
    """Wait until it is so."""
    async with asyncio.timeout(WITHIN_S):
        while not await condition():  # noqa: ASYNC110 - other processes tell by the store only
            await asyncio.sleep(0.05)


async def both(always, at_last):
    """Whether the second is so; the first must be so all the time."""
    assert await always()
    return await at_last()


class Shards:
    """What the store says of the shards."""

    def __init__(self, redis):
        self.redis = redis
        self.store = MarketStore(redis, SystemClock(), SHARDS)
        self.positions = [START] * SHARDS

    async def holders(self):
        """The process ids by shard; None where nobody holds it."""
        names = [keys.lease(shard) for shard in range(SHARDS)]
        stored = await self.redis.mget(names)
        return [int(v.rpartition(b"-")[2]) if v else None for v in stored]

    def shared_by(self, *pids):
        """Whether exactly these hold the shards, evenly."""

        async def is_so():
            holders = await self.holders()
            counts = {holders.count(pid) for pid in pids}
            return set(holders) == set(pids) and max(counts) - min(counts) <= 1

        return is_so

    def all_true(self, prices):
        """Whether the store holds these prices, and no others."""

        async def is_so():
            for shard in range(SHARDS):
                images = (await self.store.snapshot(shard)).images
                for code, image in images.items():
                    if prices[code] != image.quote.last_paise:
                        return False
            return True

        return is_so

    async def all_move(self):
        """Whether every shard's position went on since the last time it did; none may go back."""
        now = [head.position for head in (await self.store.heads()).shards]
        assert all(a >= b for a, b in zip(now, self.positions, strict=True))
        if any(a == b for a, b in zip(now, self.positions, strict=True)):
            return False
        self.positions = now
        return True


@pytest.mark.timeout(120)
async def test_shards_move_from_the_dead_and_the_frozen(exchange, redis, redis_server):
    """All shards have a living writer again; who wakes up writes nothing, and then does its part."""
    shards = Shards(redis)
    async with exchange.serving():
        with ExitStack() as running:
            one, two, three = (
                running.enter_context(fetcher(redis_server, exchange.url))
                for _ in range(3)
            )
            await until(shards.shared_by(one.pid, two.pid, three.pid))
            for _ in range(2):  # the first may only see a new term
                await until(shards.all_move)
            one.kill()
            killed = time.monotonic()
            await until(shards.shared_by(two.pid, three.pid))
            assert time.monotonic() - killed < TAKE_OVER_S_MAX
            for _ in range(2):  # the first may only see a new term
                await until(shards.all_move)

            two.send_signal(signal.SIGSTOP)
            await until(shards.shared_by(three.pid))
            exchange.trade()  # what the frozen one knows, or still gets told, is old now
            await until(shards.all_true(exchange.prices()))
            two.send_signal(signal.SIGCONT)
            # It writes nothing of what it knew: at no moment is anything else than the present in the store.
            true = shards.all_true(exchange.prices())
            shared = shards.shared_by(two.pid, three.pid)
            await until(lambda: both(true, shared))
            for _ in range(2):
                await until(lambda: both(true, shards.all_move))
