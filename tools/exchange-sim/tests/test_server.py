"""The real server, its faults and its admin door, over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bse_exchange_sim.simulator import Simulator


ALL = "/BseIndiaAPI/api/GetMktData/w?ordcol=TT&strType=AllMkt&strfilter=All"
HEADER = "/BseIndiaAPI/api/getScripHeaderData/w?scripcode=500209"


async def arm(client: httpx.AsyncClient, **fault: object) -> int:
    answer = await client.post("/admin/faults", json=fault)
    assert answer.status_code == 201
    return answer.json()["id"]


async def test_market_list_is_gzipped(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """A large answer is gzipped when accepted and holds all rows."""
    async with running(simulate()) as client:
        answer = await client.get(ALL)
        plain = await client.get(ALL, headers={"accept-encoding": "identity"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert len(answer.json()["Table"]) == 60
    assert answer.content == plain.content


async def test_answer_changes_with_the_tick_only(
    simulate: Callable[..., Simulator], running: Any, clock: Any
) -> None:
    """Within a tick the body is the same, after it a new one."""
    async with running(simulate()) as client:
        first, same = [(await client.get(ALL)).content for _ in range(2)]
        clock.forward(1)
        later = (await client.get(ALL)).content
    assert first == same
    assert first != later


async def test_header_rules_guard_the_door(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """Without a Referer 404, with a bare client 403; the admin door is open."""
    async with running(simulate()) as client:
        del client.headers["referer"]
        lost = await client.get(ALL)
        client.headers["user-agent"] = "python-requests/2"
        denied = await client.get(ALL)
        state = await client.get("/admin/state")
    assert (lost.status_code, denied.status_code, state.status_code) == (404, 403, 200)
    assert "Access Denied" in denied.text
    assert "Reference #" in denied.text


async def test_header_rules_can_be_off(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """With the rules off anybody is answered."""
    async with running(simulate(header_rules="off")) as client:
        client.headers.clear()
        assert (await client.get(ALL)).status_code == 200


async def test_unknown_path_answers_the_sites_shell(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """A wrong path is 200 with HTML, as at the exchange."""
    async with running(simulate()) as client:
        answer = await client.get("/BseIndiaAPI/api/Nothing/w")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("kind", "status", "begins"),
    [
        ("forbidden", 403, b"<HTML>"),
        ("too_many_requests", 429, b"<html>"),
        ("server_error", 500, b"<html>"),
        ("html_200", 200, b"<!doctype html>"),
        ("null_body", 200, b"null"),
        ("empty_body", 200, b""),
        ("redirect", 302, b""),
        ("truncated", 200, b'{"CurrRate"'),
        ("missing_field", 200, b'{"CurrRate"'),
    ],
)
async def test_fault_answers(
    simulate: Callable[..., Simulator],
    running: Any,
    kind: str,
    status: int,
    begins: bytes,
) -> None:
    """Each fault answers its status and body once, then all is well again."""
    async with running(simulate()) as client:
        await arm(client, kind=kind, path="getScripHeaderData", times=1)
        other = await client.get(ALL)
        hit = await client.get(HEADER)
        after = await client.get(HEADER)
    assert (other.status_code, hit.status_code) == (200, status)
    assert hit.content.startswith(begins)
    assert after.json()["CurrRate"]["LTP"] != "-"
    assert hit.content != after.content or kind == "missing_field"


async def test_too_many_requests_says_how_long(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """The 429 carries the asked Retry-After."""
    async with running(simulate()) as client:
        await arm(client, kind="too_many_requests", retry_after_s=7)
        assert (await client.get(ALL)).headers["retry-after"] == "7"


async def test_down_closes_without_an_answer(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """The connection is closed before any byte of an answer."""
    async with running(simulate()) as client:
        await arm(client, kind="down", times=1)
        with pytest.raises(httpx.TransportError):
            await client.get(ALL)
        state = (await client.get("/admin/state")).json()
        assert (await client.get(ALL)).status_code == 200
    assert state["requests"]["by_status"] == {"closed": 1}


async def test_hang_ends_when_the_fault_is_removed(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """A hanging request gets no answer until the fault goes."""
    simulator = simulate()
    async with running(simulator) as client:
        fault = await arm(client, kind="hang", times=1)
        async with asyncio.TaskGroup() as group:
            request = group.create_task(client.get(ALL))
            while not simulator.hanging._waiting:
                await client.get("/livez")
            assert not request.done()
            removed = await client.delete(f"/admin/faults/{fault}")
        assert removed.json() == {"removed": 1}
        assert request.result().status_code == 200


async def test_hang_lets_go_of_a_client_that_left(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """When the client gives up nothing keeps waiting, and the server can stop."""
    simulator = simulate()
    async with running(simulator) as client:
        await arm(client, kind="hang")
        with pytest.raises(httpx.ReadTimeout):
            await client.get(ALL, timeout=0.05)
        while simulator.hanging._waiting:
            await client.get("/livez")


async def test_slow_answers_late_but_right(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """A slow answer is the usual one, later than the delay."""
    async with running(simulate()) as client:
        await arm(client, kind="slow", delay_s=0.05)
        answer = await client.get(ALL)
    assert answer.elapsed.total_seconds() >= 0.05
    assert len(answer.json()["Table"]) == 60


async def test_frozen_keeps_the_old_body(
    simulate: Callable[..., Simulator], running: Any, clock: Any
) -> None:
    """While frozen the body stays; afterwards it moves on."""
    async with running(simulate()) as client:
        await arm(client, kind="frozen", seconds=100)
        bodies = []
        for _ in range(3):
            bodies.append((await client.get(ALL)).content)
            clock.forward(40)
        after = (await client.get(ALL)).content
    assert len(set(bodies)) == 1
    assert after not in bodies
