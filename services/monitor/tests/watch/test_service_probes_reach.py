"""Whom the probes reach, whom they must not, and how many at once."""

import asyncio

import pytest
from aiohttp import web

from bse_local_stack.ports import free_ports
from bse_monitor.rules.observation import Answer
from bse_monitor.watch.service_probes import is_probeable, open_probes


PATIENCE_S = 5.0
IMPATIENCE_S = 0.1


async def test_a_refused_connection_is_unreachable(ask):
    """Nothing listens where the heartbeat said."""
    (port,) = free_ports(1)
    probe = await ask(f"http://127.0.0.1:{port}")

    assert Answer.UNREACHABLE is probe.answer
    assert (
        f"nothing answers at http://127.0.0.1:{port}: connection refused",
    ) == probe.reasons


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-dropbear\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_a_server_that_does_not_speak_http_is_not_ready(ask, said):
    """It hangs up, or greets in another language."""

    async def greet(_reader, writer):
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        probe = await ask(f"http://127.0.0.1:{port}")

    assert probe.answer in {Answer.GARBLED, Answer.UNREACHABLE}
    assert probe.reasons


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://127.0.0.1:1",
        "file:///etc/passwd",
        "http://",
        "http://user:secret@127.0.0.1:1",
        "http://127.0.0.1:1/admin?x=",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://[::1",
        "http://a b:1",
        "http://exa\nmple:1",
    ],
)
async def test_only_plain_addresses_are_probed(ask, url):
    """A heartbeat cannot make the monitor call arbitrary URLs."""
    probe = await ask(url)

    assert not is_probeable(url)
    assert Answer.UNREACHABLE is probe.answer
    assert probe.reasons[0].startswith("not an address to probe")


@pytest.mark.parametrize("host", ["x" * 70, "a..b"])
async def test_a_host_name_that_cannot_be_one_is_unreachable(ask, host):
    """The resolver refuses it in its own way."""
    assert Answer.UNREACHABLE is (await ask(f"http://{host}:1")).answer


async def test_a_hanging_instance_does_not_delay_the_others(serve, clock, released):
    """All are asked at the same time, each address once."""

    async def hang(_request):
        await released.wait()
        return web.Response()

    slow, well = await serve(hang, hang), await serve()
    async with open_probes(clock, IMPATIENCE_S, 2) as probes:
        answers = await probes.ask([slow, well, well])

    assert {slow: Answer.SLOW, well: Answer.READY} == {
        url: probe.answer for url, probe in answers.items()
    }


@pytest.mark.parametrize(
    ("at_once_max", "answers"),
    [(1, {Answer.SLOW, Answer.READY}), (2, {Answer.READY})],
)
async def test_no_more_instances_are_asked_at_once_than_allowed(
    serve, clock, at_once_max, answers
):
    """Two instances that wait for each other are both ready only if both are asked at once."""
    asked = {}

    async def wait_for_the_other(request):
        asked.setdefault(request.host, asyncio.Event()).set()
        others = [url.removeprefix("http://") for url in urls]
        for other in others:
            await asked.setdefault(other, asyncio.Event()).wait()
        return web.json_response({"ready": True})

    urls = [await serve(wait_for_the_other) for _ in range(2)]
    async with open_probes(clock, IMPATIENCE_S, at_once_max) as probes:
        found = await probes.ask(urls)

    assert answers == {probe.answer for probe in found.values()}
