"""Redis is away, at the start or later: services wait, say so, keep what they know, and recover."""

import asyncio

import pytest


SERVICES = ("fetcher", "gateway", "ws-hub")


@pytest.mark.timeout(90)
async def test_services_start_without_redis_and_recover_by_themselves(cluster):
    """Any order of starting is right."""
    cluster.start("exchange-sim", *SERVICES)
    for name in SERVICES:

        async def says_why(name=name):
            found = await cluster.get(name, "/readyz")
            return not found["ready"] and found["reasons"]

        await cluster.until(f"{name} says that it is not ready", says_why)
        assert (await cluster.get(name, "/livez"))["status"] == "alive"

    cluster.start_redis()
    for name in SERVICES:
        await cluster.until_ready(name)
    await cluster.until_quality("live")


@pytest.mark.timeout(90)
async def test_last_values_outlive_redis_and_are_never_shown_as_live(running_cluster):
    """With Redis gone old prices stay, marked stale in time; an empty Redis later, all is live again."""
    cluster = running_cluster
    before = await cluster.quote()
    async with cluster.http.ws_connect(cluster.url("ws-hub", "/ws", "ws")) as ws:
        await ws.send_json({"op": "subscribe", "symbols": ["RELIANCE"]})
        await until_type(ws, "image")
        cluster.stop_redis()
        stale_s = await cluster.until_quality("stale", 9)
        told = await until_type(ws, "quality")
        after = await cluster.quote()
        status = await cluster.get("monitor", "/status")

        assert 7.5 > stale_s
        assert "stale" == told["quotes"][0]["quality"]
        assert after["last"] is not None
        assert "down" == status["status"]

        cluster.start_redis()
        await cluster.until_quality("live")
        again = await until_type(ws, "quality")
        assert "live" == again["quotes"][0]["quality"]
    assert (await cluster.quote())["position"]["epoch"] > before["position"]["epoch"]


async def until_type(ws, kind):
    """The next message of a type. An error is none of those that a test waits for."""
    async with asyncio.timeout(20):
        while (message := await ws.receive_json())["type"] != kind:
            assert message["type"] != "error", message
    return message
