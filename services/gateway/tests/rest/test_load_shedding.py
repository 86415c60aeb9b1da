"""What happens when more is asked than can be answered."""

import asyncio

import pytest
from fastapi.responses import StreamingResponse


@pytest.fixture
def slow(make_app):
    """An application with a route that answers when it is told to, and one that stops half-way; the order, and who came."""
    go, arrived = asyncio.Event(), asyncio.Semaphore(0)

    def make(**settings):
        app = make_app(**settings)

        @app.get("/slow")
        async def answer():
            arrived.release()
            await go.wait()
            return "done"

        @app.get("/half")
        async def half():
            async def pieces():
                yield b"half"
                await go.wait()

            return StreamingResponse(pieces())

        @app.get("/livez")
        async def livez():
            return "alive"

        return app, go, arrived

    return make


async def test_more_than_can_be_at_work_is_turned_away(slow, client_of, registry):
    """At once, with a problem; probes and what is at work go on, and after it all is as before."""
    app, go, arrived = slow(in_flight_max=2)
    async with client_of(app) as client, asyncio.TaskGroup() as group:
        waiting = [group.create_task(client.get("/slow")) for _ in range(2)]
        for _ in waiting:
            await arrived.acquire()
        refused = await client.get("/api/market/status")
        probe = await client.get("/livez")
        go.set()
        answers = [await each for each in waiting]
        after = await client.get("/api/market/status")
    assert (503, "/problems/overloaded", "1") == (
        refused.status_code,
        refused.json()["type"],
        refused.headers["retry-after"],
    )
    assert "nosniff" == refused.headers["x-content-type-options"]
    assert [200, 200, 200, 200] == [
        each.status_code for each in (*answers, probe, after)
    ]
    assert 0 == registry.get_sample_value("gateway_in_flight")
    assert 1 == registry.get_sample_value(
        "gateway_refused_total", {"reason": "overloaded"}
    )


async def test_what_takes_too_long_is_given_up(slow, client_of):
    """With a problem, before anything was said."""
    app, *_ = slow(request_deadline_s=0.01)
    async with client_of(app) as client:
        answer = await client.get("/slow")
    assert (503, "/problems/deadline") == (answer.status_code, answer.json()["type"])


async def test_half_an_answer_that_takes_too_long_is_cut(slow, client_of):
    """It must not look like a whole one."""
    app, *_ = slow(request_deadline_s=0.01)
    async with client_of(app) as client:
        with pytest.raises(TimeoutError):
            await client.get("/half")
