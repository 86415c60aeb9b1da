"""A source is one file and a setting: the one of docs/sources.md, just as it stands there, in a fetcher of its own."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from aiohttp import web

import bse_fetcher
from bse_fetcher.settings import SOURCE_NAMES
from bse_fetcher.sources.registry import LIST_SOURCES, SOURCES
from bse_local_stack.ports import free_ports
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge.store import MarketStore
from bse_shared.service.system_clock import SystemClock
from bse_shared.testing.builders import RELIANCE, TCS


SHARDS = 4
WITHIN_S = 20
PRICES = {RELIANCE.code: 140_320, TCS.code: 301_505}
DOCS = Path(__file__).parents[4] / "docs/sources.md"


@pytest.fixture
def fetcher_with_acme(tmp_path):
    """The folder of a fetcher in which one file was added."""
    copied = tmp_path / "bse_fetcher"
    shutil.copytree(Path(bse_fetcher.__file__).parent, copied)
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (copied / "sources/acme").mkdir()
    (copied / "sources/acme/source.py").write_text(code)
    return tmp_path


@asynccontextmanager
async def acme():
    """ACME's door; what it was asked with."""
    headers = []

    async def quotes(request):
        headers.append(request.headers["X-Key"])
        codes = [int(code) for code in request.query["codes"].split(",")]
        return web.json_response(
            [
                {"code": code, "last": PRICES[code] / 100, "traded_at_ms": 10**12}
                for code in codes
                if code in PRICES
            ]
        )

    app = web.Application()
    app.router.add_get("/quotes", quotes)
    runner = web.AppRunner(app)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}", headers
    finally:
        await runner.cleanup()


@contextmanager
def running(folder, **settings):
    """A fetcher of that folder."""
    with subprocess.Popen(
        [sys.executable, "-m", "bse_fetcher"],
        env={**os.environ, "PYTHONPATH": str(folder), **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield
        finally:
            process.kill()


async def prices(store):
    """Last prices and sources that the store holds, by scrip code."""
    found = {}
    for shard in range(SHARDS):
        for code, image in (await store.snapshot(shard)).images.items():
            found[code] = (image.quote.last_paise, image.quote.source)
    return found


@pytest.mark.timeout(60)
async def test_a_source_is_one_file_and_a_setting(
    fetcher_with_acme, exchange, redis, redis_server
):
    """Its prices are in the store, asked for with its own settings, and nothing else was changed."""
    store = MarketStore(redis, SystemClock(), SHARDS)
    wanted = {code: (paise, Source.BROKER) for code, paise in PRICES.items()}
    async with exchange.serving(), acme() as (url, headers):
        settings = {
            "REDIS_URL": redis_server,
            "SOURCE_PRIMARY": "acme",
            "ACME_BASE_URL": url,
            "ACME_API_KEY": "secret",
            "BSE_BASE_URL": exchange.url,
            "POLL_SESSION": "always_open",
            "MARKET_SHARDS": str(SHARDS),
            "HTTP_PORT": str(free_ports(1)[0]),
        }
        with running(fetcher_with_acme, **settings):
            async with asyncio.timeout(WITHIN_S):
                while await prices(store) != wanted:  # noqa: ASYNC110 - another process tells by the store only
                    await asyncio.sleep(0.05)
    assert {"secret"} == set(headers)


def test_every_source_that_is_there_is_known():
    """By the name of its folder, which is also what it calls itself."""
    assert {"bse", "kite", "replay", "yahoo"} == SOURCE_NAMES == set(SOURCES)
    assert {"bse", "replay"} == LIST_SOURCES
    marks = {name: entry.number for name, entry in SOURCES.items()}
    assert {
        "bse": Source.BSE,
        "kite": Source.BROKER,
        "replay": Source.REPLAY,
        "yahoo": Source.YAHOO,
    } == marks
