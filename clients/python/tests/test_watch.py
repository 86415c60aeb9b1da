"""The bse-watch command against a real little server."""

import asyncio
import io
import json

import pytest
from rich.console import Console

from bse_client.answers import Rejection
from bse_client.testing import heartbeat, image, subscribed, update
from bse_client.testing.builders import RELIANCE
from bse_client.testing.scripted_hub import command_id
from bse_client.watch import EXIT_FAILED, EXIT_REJECTED, main, parse, watch


def options_for(hub, *words):
    """A command line that watches RELIANCE at this hub."""
    return parse(["RELIANCE", "--url", hub.url, *words])


class Paper(io.StringIO):
    """What is printed on, and who waits for it."""

    def __init__(self):
        super().__init__()
        self._written = asyncio.Event()

    def write(self, text):
        """Print."""
        self._written.set()
        return super().write(text)

    async def until(self, text):
        """Return once this text was printed."""
        while text not in self.getvalue():
            self._written.clear()
            await self._written.wait()


def a_console(*, terminal):
    """A console that writes on paper."""
    return Console(file=Paper(), width=150, force_terminal=terminal, color_system=None)


async def serve(hub, *rejected):
    """Answer one client with a quote of RELIANCE; the hub's end of the connection."""
    side = await hub.connection()
    answers = command_id(await side.command())
    await side.send(subscribed(RELIANCE, rejected=rejected, answers=answers))
    await side.send(image(last_paise=290_135), heartbeat())
    return side


async def test_once(hub):
    """--once paints the images and ends well."""
    console = a_console(terminal=True)
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(hub))
        assert await watch(options_for(hub, "--once"), console) == 0
    assert "2,901.35" in console.file.getvalue()
    assert "market open" in console.file.getvalue()


async def test_once_with_a_rejected_symbol(hub):
    """--once without a terminal prints JSON, and says by its exit code that a symbol is unknown."""
    rejection = Rejection("NOSUCH", "unknown_symbol", "no such scrip")
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(hub, rejection))
        options = options_for(hub, "--once", "NOSUCH")
        console = a_console(terminal=False)
        assert await watch(options, console) == EXIT_REJECTED
    quote, rejected = map(json.loads, console.file.getvalue().splitlines())
    assert (quote["symbol"], quote["last"]) == ("RELIANCE", 2901.35)
    assert rejected["symbol"] == "NOSUCH"


async def test_json_lines(hub):
    """--json prints a line for each change, until it is interrupted."""
    async with asyncio.TaskGroup() as group:
        console = a_console(terminal=True)
        watching = group.create_task(watch(options_for(hub, "--json"), console))
        side = await serve(hub)
        await side.send(update(last_paise=290_140))
        await console.file.until('"last":2901.40')
        watching.cancel()
    lines = console.file.getvalue().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events[:2] == ["connected", "subscriptions"]
    assert set(events[2:]) == {"quote"}


async def test_the_live_table(hub):
    """In a terminal the table is painted, and painted again when a price changes."""
    console = a_console(terminal=True)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch(options_for(hub), console))
        side = await serve(hub)
        await side.send(update(last_paise=290_140))
        await console.file.until("2,901.40")
        watching.cancel()
    assert "RELIANCE" in console.file.getvalue()


async def test_what_to_ask_for(hub):
    """Fields, rates, tokens and selections of the command line reach the hub."""
    words = [
        "index:SENSEX",
        "--fields",
        "last,volume",
        "--max-hz",
        "2",
        "--token",
        "ey",
    ]
    async with asyncio.TaskGroup() as group:
        options = parse([*words, "--json", "--url", hub.url])
        watching = group.create_task(watch(options, a_console(terminal=False)))
        side = await hub.connection()
        command = await side.accept(RELIANCE)
        watching.cancel()
    assert command["symbols"] == ["INDEX:SENSEX"]
    assert (command["fields"], command["max_hz"]) == (["last", "volume"], 2)
    assert side.authorization == "Bearer ey"


async def test_seconds(hub):
    """--seconds ends the watch well, whether or not anything came."""
    options = options_for(hub, "--seconds", "0.01")
    assert await watch(options, a_console(terminal=False)) == 0


def test_no_hub(capsys):
    """Without a hub --once fails, and says what to do."""
    words = ["X", "--once", "--seconds", "0.05", "--url", "ws://127.0.0.1:9/ws"]
    assert main(words) == EXIT_FAILED
    complaint = capsys.readouterr().err
    assert "could not connect to ws://127.0.0.1:9/ws: Connection refused" in complaint
    assert "--url or BSE_WS_URL" in complaint


def test_a_wrong_address(capsys):
    """An address that is none is told at once."""
    assert main(["X", "--url", "localhost:8001"]) == EXIT_FAILED
    assert "is no ws:// or wss:// address" in capsys.readouterr().err


def test_help(capsys, monkeypatch):
    """--help shows examples and the address in use."""
    monkeypatch.setenv("BSE_WS_URL", "ws://elsewhere/ws")
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "ws://elsewhere/ws" in text
    assert "bse-watch RELIANCE TCS 500325" in text
