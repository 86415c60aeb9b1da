"""The product as single processes that a test may kill, freeze and start again."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack

import aiohttp
import pytest

from bse_local_stack.ports import free_ports
from bse_local_stack.redis_server import running_server
from bse_local_stack.stack import PORTS, Stack


class Cluster:
    """Processes by name; `fetcher-2` is a second instance of `fetcher` on a port of its own."""

    def __init__(self, http, log):
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        env = {PORTS[name][0]: str(port) for name, port in ports.items()}
        self.http = http
        self.stack = Stack.from_environment({"SOURCE": "sim", **env})
        self.ports = dict(ports)
        self.running = {}
        self._log = log
        self._redis = ExitStack()

    def start(self, *names):
        """Start services."""
        known = {process.name: process for process in self.stack.processes()}
        for name in names:
            process = known[name.removesuffix("-2")]
            env = {**os.environ, "LOG_FORMAT": "json", **process.env}
            if name.endswith("-2"):
                self.ports[name] = free_ports(1)[0]
                env["HTTP_PORT"] = str(self.ports[name])
            self.running[name] = subprocess.Popen(
                process.line, env=env, stdout=self._log, stderr=self._log
            )

    def start_redis(self):
        """An empty server at the stack's port."""
        self._redis.enter_context(running_server(self.ports["redis"]))

    def stop_redis(self):
        """The server and all that it knew are gone."""
        self._redis.close()

    def signal(self, name, number):
        """Send a signal to a service."""
        self.running[name].send_signal(number)
        if number == signal.SIGKILL:
            self.running.pop(name).wait()

    def stop(self):
        """End everything, also what was frozen."""
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self._redis.close()

    def url(self, name, path="", scheme="http"):
        """An address."""
        return f"{scheme}://127.0.0.1:{self.ports[name]}{path}"

    async def get(self, name, path):
        """The JSON at a path, whatever the status."""
        async with self.http.get(self.url(name, path)) as answer:
            return await answer.json(content_type=None)

    async def quote(self, symbol="RELIANCE"):
        """A quote by REST."""
        return await self.get("gateway", f"/api/stock/{symbol}")

    async def until(self, what, condition, within_s=20.0):
        """Wait until an awaited condition holds; the seconds it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            try:
                if await condition():
                    return loop.time() - began
            except (aiohttp.ClientError, OSError, KeyError, ValueError):
                pass
            if loop.time() - began > within_s:
                raise AssertionError(f"not within {within_s} s: {what}")
            await asyncio.sleep(0.05)

    async def until_ready(self, name, within_s=30.0):
        """Wait until a service says that it is ready."""

        async def ready():
            return (await self.get(name, "/readyz"))["ready"]

        return await self.until(f"{name} is ready", ready, within_s)

    async def until_quality(self, quality, within_s=20.0):
        """Wait until RELIANCE has this quality by REST."""

        async def has_it():
            return (await self.quote())["quality"] == quality

        return await self.until(f"quality {quality}", has_it, within_s)


@pytest.fixture
async def cluster(tmp_path) -> AsyncIterator[Cluster]:
    """A cluster in which nothing runs yet."""
    timeout = aiohttp.ClientTimeout(total=3)
    with (tmp_path / "cluster.log").open("wb") as log:
        async with aiohttp.ClientSession(timeout=timeout) as http:
            cluster = Cluster(http, log)
            try:
                yield cluster
            finally:
                cluster.stop()
    text = (tmp_path / "cluster.log").read_text(errors="replace")
    assert "Traceback" not in text, text[-6000:]


@pytest.fixture
async def running_cluster(cluster):
    """Redis, exchange, fetcher, gateway, hub, monitor; live quotes at the gateway."""
    cluster.start_redis()
    cluster.start("exchange-sim", "fetcher", "gateway", "ws-hub", "monitor")
    for name in ("fetcher", "gateway", "ws-hub", "monitor"):
        await cluster.until_ready(name)
    await cluster.until_quality("live", 30)
    return cluster
