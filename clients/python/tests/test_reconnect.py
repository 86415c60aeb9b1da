"""Connections that end: coming back, restoring the set, goodbyes, final codes, silence, gaps."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from bse_client import (
    Backoff,
    Connected,
    DigestMismatch,
    Disconnected,
    Gap,
    Heartbeat,
    HubError,
    Quality,
    QualityChanged,
    QuoteChanged,
    Restored,
    StreamRefused,
)
from bse_client.answers import RateGranted
from bse_client.digest import digest
from bse_client.messages import Goodbye, Qualities, QuoteQuality
from bse_client.testing import (
    ScriptedHub,
    heartbeat,
    image,
    resumed,
    update,
    welcome,
)
from bse_client.testing.builders import EPOCH, RELIANCE, SENT_MS, TCS


LIVE = Qualities(SENT_MS, (QuoteQuality(RELIANCE.code, Quality.LIVE),))
RIGHT = digest([(RELIANCE.code, EPOCH, 12)])


async def until(stream, kind):
    """The next event of a kind."""
    async for event in stream:
        if isinstance(event, kind):
            return event
    return None


async def test_reconnect_resumes(hub, open_stream):
    """After a lost connection we go on from what we hold, and begin anew where we hold nothing."""
    async with open_stream(symbols=["RELIANCE", "TCS"]) as stream:
        side = await hub.connection()
        await side.accept(RELIANCE, TCS)
        await side.send(image(last_paise=1, volume=5), heartbeat())
        await until(stream, QuoteChanged)
        await side.close(4000)
        lost = await until(stream, Disconnected)
        assert (lost.code, lost.reason) == (4000, "internal error of the hub")
        assert stream.quotes["RELIANCE"].quality is Quality.STALE

        side = await hub.connection()
        assert (await until(stream, Connected)).reconnected
        command = await side.answer(lambda n: resumed(RELIANCE, answers=n))
        assert command["positions"] == [[500325, EPOCH, 12]]
        assert command["mode"] == "quote"
        assert (await side.accept(RELIANCE, TCS))["symbols"] == ["532540"]
        assert await until(stream, Restored) == Restored((500325,), (532540,))
        await side.send(update(after=12, to=15, last_paise=2), LIVE, heartbeat())
        changed = await until(stream, QuoteChanged)
        assert (changed.quote.last_paise, changed.quote.volume) == (2, 5)
        await until(stream, Heartbeat)
        assert stream.quotes["RELIANCE"].is_live


async def test_a_hub_that_cannot_resume(hub, open_stream):
    """An older hub is asked for new images instead."""
    async with open_stream(symbols=["RELIANCE"]) as stream:
        side = await hub.connection()
        await side.accept(RELIANCE)
        await side.send(image(last_paise=1))
        await until(stream, QuoteChanged)
        await side.close(4000)
        side = await hub.connection()
        await side.answer(lambda n: HubError(n, "unknown_op", "no operation resume"))
        command = await side.accept(RELIANCE)
        assert (command["op"], command["symbols"]) == ("subscribe", ["500325"])
        assert await until(stream, Restored) == Restored((), (500325,))


async def test_the_pace_is_restored(hub, open_stream):
    """The rate of the connection and the heartbeat are asked for on each connection, before the set."""
    options = {"heartbeat_interval_ms": 2_000, "digest": True}
    async with (
        open_stream(symbols=["TCS"], max_hz=2, **options) as stream,
        asyncio.TaskGroup() as group,
    ):
        side = await hub.connection()
        assert (await side.accept(TCS))["max_hz"] == 2
        (heart,) = side.heartbeats
        assert (heart["interval_ms"], heart["digest"]) == (2_000, True)
        task = group.create_task(stream.rate(5))
        await side.answer(lambda n: RateGranted(n, 4.0))
        assert await task == 4.0
        await side.close(4000)
        side = await hub.connection()
        command = await side.answer(lambda n: RateGranted(n, 4.0))
        assert (command["op"], command["max_hz"]) == ("rate", 5)
        assert (await side.accept(TCS))["symbols"] == ["532540"]
        assert len(side.heartbeats) == 1


async def test_a_wrong_digest(hub, open_stream):
    """When the hub holds something else, the whole set is asked for again, and it is counted."""
    async with open_stream(symbols=["RELIANCE"]) as stream:
        side = await hub.connection()
        await side.accept(RELIANCE)
        await side.send(image(last_paise=1), heartbeat(digest=7))
        wrong = await until(stream, DigestMismatch)
        assert (wrong.expected, wrong.computed, wrong.count) == (7, RIGHT, 1)
        assert stream.quotes["RELIANCE"].quality is Quality.STALE
        assert (await side.accept(RELIANCE))["symbols"] == ["500325"]
        await side.send(image(last_paise=1), heartbeat(digest=RIGHT))
        await until(stream, Heartbeat)
        assert stream.quotes["RELIANCE"].is_live
        assert stream.digest_mismatches == 1


async def test_subscribe_survives_a_reconnect(hub, open_stream):
    """A command whose connection ends before the answer is repeated on the next one."""
    async with open_stream() as stream, asyncio.TaskGroup() as group:
        side = await hub.connection()
        task = group.create_task(stream.subscribe(["TCS"]))
        await side.command()
        await side.close(1001)
        await (await hub.connection()).accept(TCS)
        assert (await task).symbols == (TCS,)


async def test_restoring_is_patient(hub, open_stream):
    """A hub that is not ready is asked for our set until it is; other refusals are told."""
    async with open_stream(symbols=["TCS"], mode="ltp") as stream:
        side = await hub.connection()
        for reason in ("not_ready", "too_many_commands"):
            command = await side.command()
            await side.send(HubError(command["id"], reason, "later"))
        command = await side.command()
        assert command["mode"] == "ltp"
        await side.send(HubError(command["id"], "bad_message", "no"))
        assert (await until(stream, HubError)).reason == "bad_message"


async def test_attempts_back_off(hub, open_stream):
    """Each failed attempt waits longer; a heartbeat makes the next wait short again."""
    backoff = Backoff(1, 8)
    async with open_stream(backoff=backoff, rng=lambda: 0.5) as stream:
        waits = []
        for beats in (False, False, False, True, False):
            side = await hub.connection()
            if beats:
                await side.send(heartbeat())
                await until(stream, Heartbeat)
            await side.close(4010)
            waits.append((await until(stream, Disconnected)).retry_in_s)
            stream._timing.advance(8_000)
        assert waits == [0.5, 1, 2, 0.5, 1]


async def test_goodbye(hub, open_stream, timing):
    """A goodbye says when to come back, and that is when we come."""
    async with open_stream() as stream:
        side = await hub.connection()
        await side.send(Goodbye("hub shuts down", reconnect=True, after_ms=750))
        await side.close(1001)
        lost = await until(stream, Disconnected)
        assert (lost.reason, lost.retry_in_s) == ("hub shuts down", 0.75)
        timing.advance(750)
        await hub.connection()
        assert (await until(stream, Connected)).reconnected


async def test_a_goodbye_without_a_time(hub, open_stream):
    """Who is sent away without a time backs off with jitter."""
    async with open_stream(backoff=Backoff(1, 8), rng=lambda: 0.5) as stream:
        side = await hub.connection()
        await side.send(Goodbye("connection_limit", reconnect=True, after_ms=0))
        await side.close(4011)
        assert (await until(stream, Disconnected)).retry_in_s == 0.5


@pytest.mark.parametrize("code", [1002, 1007, 1009, 4500, 4501, 4502, 4503, 4504])
async def test_final_codes(hub, open_stream, code):
    """Codes that forbid to come back end the stream with a typed error, for readers and commands."""
    async with open_stream() as stream:
        side = await hub.connection()
        await side.close(code, "because")
        with pytest.raises(StreamRefused) as refusal:
            await until(stream, Disconnected)
        assert (refusal.value.code, refusal.value.reason) == (code, "because")
        with pytest.raises(StreamRefused):
            await stream.subscribe(["TCS"])
        assert not stream.is_connected


async def test_a_final_goodbye(hub, open_stream):
    """A goodbye that does not want us back ends the stream, whatever the code."""
    async with open_stream() as stream:
        side = await hub.connection()
        await side.send(Goodbye("banned", reconnect=False, after_ms=0))
        await side.close(1000)
        with pytest.raises(StreamRefused, match="banned"):
            await until(stream, Disconnected)


async def test_refused_on_entering(open_stream):
    """A hub of another protocol version is an error on entering the stream."""
    async with ScriptedHub(greets=False) as hub, asyncio.TaskGroup() as group:
        group.create_task(speak_protocol_2(hub))
        with pytest.raises(StreamRefused, match="protocol 2"):
            await open_stream(url=hub.url).__aenter__()


async def speak_protocol_2(hub):
    """Welcome the next client with another version."""
    await (await hub.connection()).send(welcome(protocol=2))


async def test_no_welcome(open_stream, timing):
    """A server that accepts and says nothing is left after the time to connect."""
    async with ScriptedHub(greets=False) as hub, AsyncExitStack() as stack:
        stream = open_stream(url=hub.url, open_timeout_s=0)
        await stack.enter_async_context(stream)
        await hub.connection()
        timing.advance(5_000)
        assert (await until(stream, Disconnected)).reason == "no welcome within 5 s"
        await (await hub.connection()).send(welcome())
        await until(stream, Connected)


async def test_malformed_messages(hub, open_stream):
    """A hub that talks nonsense is left and tried again."""
    async with open_stream() as stream:
        side = await hub.connection()
        await side.send_frame(b"\xc1")
        assert "malformed message" in (await until(stream, Disconnected)).reason
        await side.closed.wait()
        assert side.close_code == 1007
        await hub.connection()
        await until(stream, Connected)


async def test_silence(hub, open_stream, timing):
    """3 s of silence make all stale, 5 s replace the connection."""
    async with open_stream(symbols=["RELIANCE"]) as stream:
        side = await hub.connection()
        await side.accept(RELIANCE)
        await side.send(image(last_paise=1), heartbeat(60_000))
        await until(stream, Heartbeat)
        timing.advance(2_999)
        assert stream.quotes["RELIANCE"].is_live
        timing.advance(1)
        assert (await until(stream, QualityChanged)).after is Quality.STALE
        assert stream.is_connected
        timing.advance(2_000)
        lost = await until(stream, Disconnected)
        assert lost.reason == "nothing was heard of the hub"
        await hub.connection()


async def test_gap(hub, open_stream):
    """A hole is told, its image is asked for in the mode of the scrip, and heals it."""
    async with open_stream(symbols=["RELIANCE"]) as stream:
        side = await hub.connection()
        await side.accept(RELIANCE)
        await side.send(image(last_paise=1), heartbeat(), update(after=14, to=15))
        gap = await until(stream, Gap)
        assert (gap.symbol, gap.held_sequence, gap.from_sequence, gap.span) == (
            "RELIANCE",
            12,
            14,
            2,
        )
        command = await side.accept(RELIANCE)
        assert (command["symbols"], command["mode"]) == (["500325"], "quote")
        assert stream.quotes[500325].quality is Quality.STALE
        await side.send(image(sequence=15, last_paise=7))
        healed = await until(stream, QuoteChanged)
        assert (healed.quote.last_paise, healed.quote.is_live) == (7, True)


async def test_our_own_failures_are_seen(hub, open_stream):
    """A failure inside the stream ends the block with that failure, instead of a silent stream."""

    def rng():
        raise ZeroDivisionError

    async def watch():
        async with open_stream(rng=rng) as stream:
            await (await hub.connection()).close(4000)
            await until(stream, Disconnected)

    with pytest.raises(ExceptionGroup) as failure:
        await watch()
    assert failure.group_contains(ZeroDivisionError)
