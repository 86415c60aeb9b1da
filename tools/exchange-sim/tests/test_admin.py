"""The admin door: faults, state, probes."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bse_exchange_sim.simulator import Simulator


ALL = "/BseIndiaAPI/api/GetMktData/w?ordcol=TT&strType=AllMkt&strfilter=All"


async def arm(client: httpx.AsyncClient, **fault: object) -> int:
    answer = await client.post("/admin/faults", json=fault)
    assert answer.status_code == 201
    return answer.json()["id"]


async def test_wrong_fault_lists_the_kinds(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """A wrong request is 422 and says which kinds there are."""
    async with running(simulate()) as client:
        answer = await client.post("/admin/faults", content=b'{"kind":"explode"}')
    assert answer.status_code == 422
    assert "explode" in answer.json()["detail"]
    assert "hang" in answer.json()["kinds"]


async def test_faults_can_be_listed_and_cleared(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """Armed faults are shown with their use; clearing removes them all."""
    async with running(simulate()) as client:
        await arm(client, kind="slow", path="nowhere", seconds=60)
        await arm(client, kind="null_body")
        await client.get(ALL)
        shown = (await client.get("/admin/faults")).json()["faults"]
        cleared = (await client.delete("/admin/faults")).json()
        missing = await client.delete("/admin/faults/99")
        wrong = await client.delete("/admin/faults/x")
    assert [(each["kind"], each["used"]) for each in shown] == [
        ("slow", 0),
        ("null_body", 1),
    ]
    assert shown[0]["seconds_left"] == 60.0
    assert cleared == {"removed": 2}
    assert (missing.status_code, wrong.status_code) == (404, 404)


async def test_state_shows_time_and_counts(
    simulate: Callable[..., Simulator], running: Any, clock: Any
) -> None:
    """The state tells mode, progress and what was asked; a replay finishes."""
    async with running(simulate(mode="replay", speed=1_000.0)) as client:
        await client.get(ALL)
        clock.forward(10)
        midway = (await client.get("/admin/state")).json()
        clock.forward(30)
        end = (await client.get("/admin/state")).json()
    assert (midway["mode"], midway["speed"], midway["scrips"]) == ("replay", 1000.0, 60)
    assert 0.4 < midway["progress"] < 0.5
    assert midway["requests"]["by_endpoint"] == {"GetMktData": 1}
    assert midway["requests"]["by_status"] == {"200": 1}
    assert (end["finished"], end["progress"]) == (True, 1.0)
    assert end["virtual_time"] == "2026-09-30T15:30:00+05:30"


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probes(
    simulate: Callable[..., Simulator], running: Any, path: str
) -> None:
    """Both probes answer as long as the server runs, whatever the faults."""
    async with running(simulate()) as client:
        await arm(client, kind="down")
        answer = await client.get(path)
    assert json.loads(answer.content) == {"status": "ok"}
