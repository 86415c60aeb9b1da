"""The whole product as separate processes, as `make run` starts it."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bse_local_stack.ports import free_ports
from bse_local_stack.stack import PORTS


READY_WITHIN_S = 40
STOP_WITHIN_S = 15
JS = Path(__file__).parent / "js"


class Product:
    """A running product and how to reach it."""

    def __init__(self, ports, process, http):
        self.ports = ports
        self.process = process
        self.http = http

    def url(self, name, path="", scheme="http"):
        """An address."""
        return f"{scheme}://127.0.0.1:{self.ports[name]}{path}"

    async def get(self, name, path):
        """The JSON at a path."""
        async with self.http.get(self.url(name, path)) as answer:
            return await answer.json()

    async def until(self, what, condition: Callable, within_s=READY_WITHIN_S):
        """Wait until an awaited condition holds; its value."""
        ends = asyncio.get_running_loop().time() + within_s
        while True:
            try:
                if found := await condition():
                    return found
            except (aiohttp.ClientError, OSError, ValueError):
                pass
            if asyncio.get_running_loop().time() > ends:
                raise AssertionError(f"not within {within_s} s: {what}")
            await asyncio.sleep(0.1)


Start = Callable[..., AbstractAsyncContextManager[Product]]


@pytest.fixture
def start_product(tmp_path) -> Start:
    """Start the product on free ports; at the end Ctrl-C, which must leave nothing behind."""

    @asynccontextmanager
    async def start(**env: str) -> AsyncIterator[Product]:
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        variables = {PORTS[name][0]: str(port) for name, port in ports.items()}
        log = (tmp_path / "run.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bse_local_stack", "run"),
            env={**os.environ, "SOURCE": "sim", **variables, **env},
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        async with aiohttp.ClientSession() as http:
            product = Product(ports, process, http)
            try:
                await product.until("quotes at the hub", lambda: _has_quotes(product))
                yield product
            finally:
                process.send_signal(signal.SIGINT)
                code = await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
                log.close()
        text = (tmp_path / "run.log").read_text(errors="replace")
        assert code == 0, text[-4000:]
        assert "Traceback" not in text, text[-8000:]

    return start


async def _has_quotes(product):
    hub = await product.get("ws-hub", "/health")
    gateway = await product.get("gateway", "/health")
    return hub["quotes"] > 0 and hub["status"] == gateway["status"] == "ok"


@pytest.fixture
def node() -> list[str]:
    """The command of Node with the official Socket.IO client beside it."""
    missing = None
    if shutil.which("node") is None:
        missing = "Node.js is not installed (Debian: apt-get install nodejs npm)"
    elif not (JS / "node_modules" / "socket.io-client").is_dir():
        missing = f"socket.io-client is not installed (npm ci --prefix {JS.name})"
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    return ["node", str(JS / "subscribe.mjs")]
