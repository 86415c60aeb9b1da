"""Our clients against the real product: what they ask for, how they come back, and the examples in their READMEs."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from bse_client import Connected, QuoteChanged, QuoteStream, Restored


ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "js"
WITHIN_S = 20.0
DEMO_KEY = "bsq_demo_demo0000_demodemodemodemodemodemodemodemo_cbda634e"


class CuttingProxy:
    """A TCP proxy whose connections a test may cut."""

    def __init__(self, port):
        self.port = 0
        self._target = port
        self._writers = set()

    async def __aenter__(self):
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error):
        self._server.close()
        self.cut()

    def cut(self):
        """End every connection, without a word."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        async with asyncio.TaskGroup() as group:
            group.create_task(_copy(reader, back))
            group.create_task(_copy(there, writer))


async def _copy(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


async def event_of(stream, kind):
    """The next event of a kind, bounded."""
    async with asyncio.timeout(WITHIN_S):
        async for event in stream:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the stream ended before {kind.__name__}")


async def agrees(product, code, last):
    """Whether REST says the same of a price."""
    rest = await product.get("gateway", f"/api/stock/{code}")
    return Decimal(str(rest["last"])) == Decimal(last)


@pytest.mark.timeout(120)
async def test_the_python_client_goes_on_from_where_it_was(start_product):
    """Fields, rates, an index; and after a cut connection only what was missed, to the same values as REST."""
    async with start_product() as product, CuttingProxy(product.ports["ws-hub"]) as way:
        url = f"ws://127.0.0.1:{way.port}/ws"
        async with QuoteStream(url, symbols=["RELIANCE", "TCS"]) as stream:
            while len(stream.quotes) < 2:
                await event_of(stream, QuoteChanged)
            limited = await stream.subscribe(
                ["INFY"], fields=["last", "volume"], max_hz=2
            )
            index = await stream.subscribe(["index:SENSEX"], mode="ltp")
            assert await stream.rate(4) == 4
            infy = next(item for item in limited.symbols if item.symbol == "INFY")
            assert (infy.fields, infy.max_hz) == (("last", "volume"), 2)
            assert len(index.symbols) >= 30
            while len(stream.quotes) < len(index.symbols):
                await event_of(stream, QuoteChanged)

            before = {quote.code: quote.epoch for quote in stream.quotes.values()}
            way.cut()
            assert (await event_of(stream, Connected)).reconnected
            back = await event_of(stream, Restored)
            assert set(back.resumed) == set(before)
            assert back.re_imaged == ()

            async def is_true():
                held = stream.quotes["RELIANCE"]
                proved = stream.heartbeat.digest is not None
                same = await agrees(product, 500325, held.last)
                return held.is_live and proved and same

            async with reading(stream):
                await product.until("the stream agrees with REST", is_true, WITHIN_S)
            after = {quote.code: quote.epoch for quote in stream.quotes.values()}
            assert before == after
            assert stream.digest_mismatches == 0


@pytest.mark.timeout(120)
async def test_every_change_arrives_by_itself(start_product):
    """Each change of a scrip is an event, none merged; and a large set, deflated, is what the hub holds."""
    async with start_product() as product:
        url = product.url("ws-hub", "/ws", "ws")
        options = {"every": True, "compress": True, "heartbeat_interval_ms": 500}
        async with QuoteStream(url, symbols=["RELIANCE"], **options) as stream:
            seen = [(await event_of(stream, QuoteChanged)).quote.sequence]
            assert stream.subscriptions[0].every
            while len(seen) < 4:
                event = await event_of(stream, QuoteChanged)
                assert event.conflated == 0
                seen.append(event.quote.sequence)
            assert seen == sorted(set(seen))
            await stream.subscribe(["group:A"], mode="full")
            while len(stream.quotes) < len(stream.subscriptions):
                await event_of(stream, QuoteChanged)

            async def is_proved():
                return stream.heartbeat.digest is not None

            async with reading(stream):
                await product.until("a digest over all", is_proved, WITHIN_S)
            assert stream.digest_mismatches == 0


@contextlib.asynccontextmanager
async def reading(stream):
    """Somebody reads the events meanwhile."""

    async def read():
        async for _ in stream:
            pass

    async with asyncio.TaskGroup() as group:
        task = group.create_task(read())
        yield
        task.cancel()


def missing_for_node():
    """What is not there to run the built JavaScript client, or None."""
    if shutil.which("npm") is None:
        return "Node.js is not installed (Debian: apt-get install nodejs npm)"
    if not (CLIENT / "node_modules" / "typescript").is_dir():
        return "the client's tools are not installed (npm ci --prefix clients/js)"
    return None


@pytest.fixture(scope="module")
def node_line():
    """The beginning of a command line of Node with WebSocket, after building the client."""
    missing = missing_for_node()
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    subprocess.run(["npm", "run", "build", "--silent"], cwd=CLIENT, check=True)
    probe = ["node", "-p", "typeof WebSocket"]
    has = subprocess.run(probe, check=True, capture_output=True, text=True).stdout
    return ["node", *([] if "function" in has else ["--experimental-websocket"])]


class NodeStream:
    """The JavaScript client in a process of its own."""

    def __init__(self, process):
        self.process = process

    async def until(self, kind, where=lambda _: True):
        """The next event of a type, bounded."""
        async with asyncio.timeout(WITHIN_S):
            while line := await self.process.stdout.readline():
                event = json.loads(line)
                if event["type"] == kind and where(event):
                    return event
        raise AssertionError(f"the stream ended before {kind}")

    async def held(self):
        """What it would show now, by code."""
        self.process.stdin.write(b"\n")
        event = await self.until("held")
        assert event["mismatches"] == 0
        return {quote["code"]: quote for quote in event["quotes"]}


@contextlib.asynccontextmanager
async def node_stream(node_line, url, symbols, **want):
    """A running stream; at the end it closes by itself, with nothing on stderr but Node's own warning."""
    script = ROOT / "tests" / "e2e" / "js" / "stream.mjs"
    module = (CLIENT / "dist" / "index.js").as_uri()
    process = await asyncio.create_subprocess_exec(
        *node_line,
        *(str(script), module, url, json.dumps(symbols), json.dumps(want)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield NodeStream(process)
        process.stdin.close()
        _, errors = await asyncio.wait_for(process.communicate(), WITHIN_S)
        assert process.returncode == 0, errors.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.timeout(120)
async def test_the_javascript_client_goes_on_from_where_it_was(
    start_product, node_line
):
    """The built module in Node, in both encodings: an index, a cut connection, the same values as REST."""
    async with start_product() as product, CuttingProxy(product.ports["ws-hub"]) as way:
        url = f"ws://127.0.0.1:{way.port}/ws"
        for encoding in ("json", "msgpack"):
            async with node_stream(
                node_line, url, ["index:SENSEX"], mode="quote", encoding=encoding
            ) as stream:
                codes = set()
                wanted = (await stream.until("subscriptions"))["symbols"]
                while len(codes) < len(wanted):
                    codes |= set((await stream.until("quotes"))["codes"])
                way.cut()
                await stream.until("disconnected")
                back = await stream.until("restored")
                assert set(back["resumed"]) == codes
                assert back["reImaged"] == []

                async def is_true(stream=stream):
                    quote = (await stream.held())[500325]
                    live = quote["quality"] == "live"
                    return live and await agrees(product, 500325, quote["last"])

                await product.until("the stream agrees with REST", is_true, WITHIN_S)
                await stream.until(
                    "heartbeat", lambda event: event["digest"] is not None
                )


OFFICIAL = ("socket.io-client", "socket.io-client-4.0", "socket.io-client-3")


@pytest.mark.timeout(120)
async def test_official_socketio_clients(start_product, node):
    """The versions of the table in docs/clients.md, over each transport: an acknowledgement, an image, heartbeats."""
    script = Path(node[1]).with_name("official.mjs")
    async with start_product() as product:
        url = product.url("ws-hub")

        async def tried(module, transports):
            line = ("node", str(script), module, url, transports)
            process = await asyncio.create_subprocess_exec(
                *line, stdout=asyncio.subprocess.PIPE
            )
            found = json.loads((await process.communicate())[0])
            assert found["answer"]["type"] == "subscribed", (module, found)
            assert found["image"]["quotes"][0]["symbol"] == "RELIANCE"
            return found["transport"]

        for module in OFFICIAL:
            assert await tried(module, "websocket") == "websocket"
            assert await tried(module, "polling") == "polling"
            assert await tried(module, "polling,websocket") == "websocket"


def examples(readme, language):
    """The code blocks of a page."""
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


async def first_lines(line, env):
    """Run a program that never ends until it has printed three lines; those."""
    process = await asyncio.create_subprocess_exec(
        *line,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    lines = []
    try:
        async with asyncio.timeout(WITHIN_S):
            while len(lines) < 3 and (text := await process.stdout.readline()):
                lines.append(text.decode().strip())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        _, errors = await process.communicate()
    assert len(lines) == 3, errors.decode()
    return lines


@pytest.mark.timeout(120)
async def test_the_examples_of_the_readmes_run(start_product, node_line, tmp_path):
    """Each example, as it is printed there but for the ports, prints what comes from the product."""
    async with start_product() as product:
        env = {"BSE_API_KEY": DEMO_KEY}

        def here(code):
            hub, gateway = product.ports["ws-hub"], product.ports["gateway"]
            return code.replace(":8001", f":{hub}").replace(":8000", f":{gateway}")

        pages = ("clients/python/README.md", "docs/clients.md")
        of_python = [code for page in pages for code in examples(page, "python")]
        for code in of_python:
            lines = await first_lines([sys.executable, "-c", here(code)], env)
            assert "BSE_API_KEY" not in code or "trader" in lines[-1]
        module = json.dumps((CLIENT / "dist" / "index.js").as_uri())
        pages = ("clients/js/README.md", "docs/clients.md")
        of_js = [code for page in pages for code in examples(page, "js")]
        for number, code in enumerate(of_js):
            script = tmp_path / f"example{number}.mjs"
            script.write_text(here(code).replace('"bse-quotes"', module))
            lines = await first_lines([*node_line, str(script)], env)
            assert "BSE_API_KEY" not in code or "trader" in lines[-1]
        assert len(of_python) >= 3
        assert len(of_js) >= 2
