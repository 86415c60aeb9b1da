"""The probes as an orchestrator asks them."""

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import Counter

from bse_shared.service.probes import probe_routes


@pytest.fixture
def ask(shell, health):
    """Ask a probe of a service with two loops: status and body."""
    app = FastAPI()
    identity = {"service": "tiny", "instance": "tiny-1", "version": "0.1.0"}
    app.include_router(
        probe_routes(health, shell.registry, identity, lambda: {"rows": 4300})
    )
    health.watch("poll", 30)

    async def get(path):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
            answer = await http.get(path)
        return answer.status_code, answer.json()

    return get


async def test_all_is_well(ask):
    """200 everywhere, nothing to complain of."""
    assert (200, {"status": "alive", "stuck": []}) == await ask("/livez")
    assert (200, {"ready": True, "reasons": []}) == await ask("/readyz")
    assert (
        200,
        {
            "status": "ok",
            "service": "tiny",
            "instance": "tiny-1",
            "version": "0.1.0",
            "reasons": [],
            "rows": 4300,
        },
    ) == await ask("/health")


async def test_not_ready_is_no_reason_for_a_restart(ask, health):
    """503 takes it out of the traffic, and only that; the body says why."""
    health.not_ready = lambda: ["not synced"]

    assert (503, {"ready": False, "reasons": ["not synced"]}) == await ask("/readyz")
    assert (200, {"status": "alive", "stuck": []}) == await ask("/livez")
    status, body = await ask("/health")
    assert (200, "degraded", ["not synced"]) == (
        status,
        body["status"],
        body["reasons"],
    )


async def test_a_stuck_loop_asks_for_a_restart(ask, clock):
    """503 with its name."""
    clock.advance(31_000)

    stuck = ["poll: no progress for 31 s"]
    assert (503, {"status": "stuck", "stuck": stuck}) == await ask("/livez")
    status, body = await ask("/health")
    assert (503, stuck) == (status, body["reasons"])


async def test_draining_is_not_ready(ask, health):
    """The balancer is told first."""
    health.draining = True

    assert (503, {"ready": False, "reasons": ["draining"]}) == await ask("/readyz")
    assert 200 == (await ask("/livez"))[0]


async def test_metrics_are_those_of_the_service(shell, health):
    """In the format that Prometheus reads, from the service's own registry."""
    Counter("tiny_things", "Things.", registry=shell.registry).inc(3)
    app = FastAPI()
    app.include_router(probe_routes(health, shell.registry, {}, dict))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as http:
        answer = await http.get("/metrics")

    assert 200 == answer.status_code
    assert answer.headers["content-type"].startswith("text/plain")
    assert "tiny_things_total 3.0" in answer.text
