"""A hub that dies takes nothing with it: clients come back and hold the newest values."""

import signal

import pytest

from bse_client import Connected, Disconnected, QuoteChanged, QuoteStream


@pytest.mark.timeout(90)
async def test_the_python_client_survives_a_killed_hub(running_cluster):
    """It reconnects by itself, has its set again, and goes on from a new image."""
    cluster = running_cluster
    url = cluster.url("ws-hub", "/ws", "ws")
    async with QuoteStream(url, symbols=["RELIANCE", "TCS"]) as stream:
        await event_of(stream, QuoteChanged)
        cluster.signal("ws-hub", signal.SIGKILL)
        await event_of(stream, Disconnected)
        assert not stream.quotes["RELIANCE"].is_live

        cluster.start("ws-hub")
        await event_of(stream, Connected)
        await event_of(stream, QuoteChanged)

        async def agrees():
            rest = await cluster.quote()
            held = stream.quotes["RELIANCE"]
            return held.is_live and rest["last"] == float(held.last)

        await cluster.until("the stream agrees with REST", agrees)


async def event_of(stream, kind):
    """The next event of a kind."""
    async for event in stream:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the stream ended before {kind.__name__}")
