"""Hostile connections, on the real server: each gets its own answer, and none more than one."""

import asyncio
import json
import re
import socket
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry

from bse_gateway.rest.limited_protocol import (
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    URL_BYTES_MAX,
    ConnectionLimits,
)
from bse_gateway.settings import RestSettings
from bse_shared.testing.builders import TCS, a_quote


POST = b"POST /api/subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GET = b"GET /api/stock/TCS HTTP/1.1\r\nHost: x\r\n"

BAD = {
    "garbage": (b"\0\1\2\3\r\n\r\n", "bad-request"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "bad-request"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad-request"),
    "no version": (b"GET /api/stock/TCS\r\n\r\n", "bad-request"),
    "version": (b"GET / HTTP/9.9\r\n\r\n", "bad-request"),
    "length and chunks": (
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "bad-request",
    ),
    "two lengths": (
        POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        "bad-request",
    ),
    "length below zero": (POST + b"Content-Length: -1\r\n\r\n", "bad-request"),
    "length no number": (POST + b"Content-Length: 4x\r\n\r\nabcd", "bad-request"),
    "length endless": (POST + b"Content-Length: " + b"9" * 99, "bad-request"),
    "chunk size": (
        POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "bad-request",
    ),
    "unknown coding": (
        POST + b"Transfer-Encoding: identity, chunked, x\r\n\r\n",
        "bad-request",
    ),
    "folded header": (GET + b"X: a\r\n b\r\n\r\n", "bad-request"),
    "blank before colon": (GET + b"X : a\r\n\r\n", "bad-request"),
    "NUL in header": (GET + b"X: a\0b\r\n\r\n", "bad-request"),
    "no name": (GET + b": a\r\n\r\n", "bad-request"),
    "long address": (
        b"GET /" + b"a" * (URL_BYTES_MAX + 1) + b" HTTP/1.1\r\n\r\n",
        "url-too-long",
    ),
    "many headers": (
        GET + b"".join(b"X%d: y\r\n" % n for n in range(HEADERS_MAX)) + b"\r\n",
        "headers-too-large",
    ),
    "large header": (
        GET + b"X: " + b"y" * HEAD_BYTES_MAX + b"\r\n\r\n",
        "headers-too-large",
    ),
}


@pytest.fixture
async def served(make_door, market, serving):
    """A server that waits half a second; its port and its metrics."""
    market.report({TCS.code: a_quote()})
    door = await make_door(rest=RestSettings(body_within_s=0.5))
    limits = ConnectionLimits(connections_max=100, head_within_s=0.5, read_within_s=0.2)
    registry = CollectorRegistry()
    async with serving(door, limits, registry) as port:
        yield port, registry


@pytest.fixture
def port(served):
    """The port of the server that waits half a second."""
    return served[0]


@pytest.fixture
async def patient_port(make_door, market, serving):
    """The port of a server that waits longer than any test runs, and takes three connections."""
    market.report({TCS.code: a_quote()})
    limits = ConnectionLimits(connections_max=3, head_within_s=60, read_within_s=60)
    async with serving(await make_door(), limits) as port:
        yield port


def problem_in(answer):
    """The problem's slug, of exactly one answer that closes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert 1 == answer.count(b"HTTP/1.1 ")
    assert b"connection: close" in head.lower()
    assert b"content-type: application/problem+json" in head
    document = json.loads(body)
    assert int(head[9:12]) == document["status"]
    request_id = re.search(rb"x-request-id: (\S+)", head)[1].decode()
    assert f"/requests/{request_id}" == document["instance"]
    return document["type"].removeprefix("/problems/")


@pytest.mark.parametrize(("data", "slug"), BAD.values(), ids=BAD)
async def test_what_is_no_good_request_is_answered_once_and_cut(
    patient_port, wire_to, data, slug
):
    """One problem, then the end: nothing that follows is taken for another request."""
    wire = await wire_to(patient_port)
    wire.send(data, b"\r\n\r\n", GET, b"\r\n")
    answer = await wire.rest()
    assert slug == problem_in(answer)


async def test_a_head_that_drips_is_cut(port, wire_to):
    """Slowloris holds no connection."""
    wire = await wire_to(port)
    wire.send(GET)
    assert "too-slow" == problem_in(await wire.rest())


async def test_a_second_head_that_drips_is_cut(port, wire_to):
    """Also after a good request."""
    wire = await wire_to(port)
    wire.send(GET, b"\r\n", GET)
    head, _ = await wire.answer()
    assert b" 200 " in head
    assert "too-slow" == problem_in(await wire.rest())


async def test_who_connects_and_never_asks_is_cut(port, wire_to):
    """Without a word."""
    wire = await wire_to(port)
    assert b"" == await wire.rest()


async def test_a_body_that_drips_is_cut(port, wire_to):
    """The head was fine, the body does not come."""
    wire = await wire_to(port)
    wire.send(POST, b"Content-Length: 30\r\n\r\n", b'{"symbols"')
    assert "too-slow" == problem_in(await wire.rest())


async def test_one_connection_too_many_is_turned_away(patient_port, wire_to):
    """And told when to come again; the others go on."""
    wires = [await wire_to(patient_port) for _ in range(3)]
    for wire in wires:
        assert b" 200 " in (await wire.ask(GET + b"\r\n"))[0][0]
    answer = await (await wire_to(patient_port)).rest()
    assert "overloaded" == problem_in(answer)
    assert b"Retry-After: 1" in answer
    assert b" 200 " in (await wires[0].ask(GET + b"\r\n"))[0][0]


@pytest.mark.parametrize(
    "flood", [b"GET /" + b"a" * 400_000, GET + b"X: y\r\n" * 50_000]
)
async def test_a_flood_is_not_read_to_its_end(patient_port, wire_to, flood):
    """The answer may be lost with it: the server closes while the flood is still arriving."""
    wire = await wire_to(patient_port)
    wire.send(flood)
    answer = await wire.rest()
    assert answer == b"" or "too-l" in problem_in(answer)


async def test_a_client_that_reads_nothing_is_cut(served):
    """Its answers wait in a bounded buffer, and not for ever."""
    port, registry = served
    many = ",".join(["TCS", *(f"X{number}" for number in range(499))])
    ask = f"GET /api/stocks/batch?symbols={many} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
        with suppress(BlockingIOError):
            for _ in range(300):
                client.send(ask)
        await until(
            lambda: registry.get_sample_value(
                "gateway_refused_total", {"reason": "slow_reader"}
            )
        )


async def until(condition):
    """Wait, within bounds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells of a metric
            await asyncio.sleep(0.01)
