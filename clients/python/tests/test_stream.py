"""The stream against a real little server: commands, events, look-ups, opening and closing."""

import asyncio
from decimal import Decimal

import pytest

from bse_client import (
    Backoff,
    CommandRefused,
    CommandTimedOut,
    Connected,
    Heartbeat,
    HubError,
    MalformedMessage,
    Mode,
    NotConnected,
    QuoteChanged,
    QuoteStream,
    StreamClosed,
    Subscription,
    SubscriptionChanged,
)
from bse_client.answers import Limits, Pong, Rejection, Unsubscribed
from bse_client.messages import Welcome
from bse_client.testing import ScriptedHub, heartbeat, image, subscribed, update
from bse_client.testing.builders import RELIANCE, SENT_MS, TCS


async def until(stream, kind):
    """The next event of a kind."""
    async for event in stream:
        if isinstance(event, kind):
            return event
    return None


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
async def test_a_first_quote(hub, open_stream, encoding):
    """In either encoding a subscribed scrip arrives as an event and in the live mapping."""
    async with open_stream(encoding=encoding, symbols=["reliance"]) as stream:
        side = await hub.connection()
        command = await side.accept(RELIANCE)
        assert command == {
            "op": "subscribe",
            "id": 1,
            "symbols": ["RELIANCE"],
            "mode": "quote",
        }
        await side.send(
            heartbeat(), image(last_paise=290_135, previous_close_paise=289_000)
        )
        event = await until(stream, QuoteChanged)
        assert event.changed_fields == {"last", "previous_close"}
        assert event.quote.last == Decimal("2901.35")
        assert event.quote == stream.quotes["Reliance"] == stream.quotes[500325]
        assert list(stream.quotes) == ["RELIANCE"]
        assert stream.heartbeat.feed.state == "ok"
        assert stream.subscriptions == (RELIANCE,)
        assert stream.is_connected
        with pytest.raises(KeyError):
            stream.quotes["TCS"]


async def test_the_order_of_events(hub, open_stream):
    """Connecting, the set, the image and the heartbeat are told in the order they happened."""
    async with open_stream(symbols=["RELIANCE"], client_id="desk-1") as stream:
        side = await hub.connection()
        assert side.query == {"client_id": "desk-1"}
        await side.accept(RELIANCE)
        await side.send(image(last_paise=5), heartbeat())
        kinds = [await until(stream, object) for _ in range(4)]
        expected = [Connected, SubscriptionChanged, QuoteChanged, Heartbeat]
        assert list(map(type, kinds)) == expected


async def test_subscribe_answers(hub, open_stream):
    """subscribe() returns the full set and the rejections; rejections are no exception."""
    rejection = Rejection("NOSUCH", "unknown_symbol", "no scrip is called NOSUCH")
    full = Subscription("TCS", 532540, Mode.FULL)
    async with open_stream() as stream, asyncio.TaskGroup() as group:
        side = await hub.connection()
        task = group.create_task(stream.subscribe(["tcs", "NOSUCH"], mode="full"))
        command = await side.command()
        assert (command["symbols"], command["mode"]) == (["TCS", "NOSUCH"], "full")
        await side.send(subscribed(full, rejected=(rejection,), answers=command["id"]))
        answer = await task
        assert (answer.symbols, answer.rejected) == ((full,), (rejection,))
        assert (await until(stream, SubscriptionChanged)).rejected == (rejection,)


async def test_unsubscribe_and_ping(hub, open_stream, timing):
    """unsubscribe() forgets the scrip, ping() measures the way to the hub and back."""
    async with (
        open_stream(symbols=["RELIANCE"]) as stream,
        asyncio.TaskGroup() as group,
    ):
        side = await hub.connection()
        await side.accept(RELIANCE)
        await side.send(image(last_paise=5))
        await until(stream, QuoteChanged)
        task = group.create_task(stream.unsubscribe([500325]))
        command = await side.command()
        await side.send(Unsubscribed(command["id"], (), ()))
        assert (await task).symbols == ()
        assert not stream.quotes
        pinging = group.create_task(stream.ping())
        command = await side.command()
        timing.advance(25)
        await side.send(Pong(command["id"], SENT_MS))
        assert await pinging == 25


async def test_long_lists_are_split(open_stream):
    """A list that would not fit into one message goes out in several; the answer is one."""
    async with ScriptedHub(greets=False) as hub, asyncio.TaskGroup() as group:
        small = Welcome(1, "s", SENT_MS, 1_000, Limits(5_000, 512))
        stream = open_stream(url=hub.url, symbols=["RELIANCE"], open_timeout_s=0)
        async with stream:
            side = await hub.connection()
            await side.send(small)
            await side.accept(RELIANCE)
            names = [f"N{n}" for n in range(20)]
            task = group.create_task(stream.subscribe(names))
            got = []
            while len(got) < 20:
                command = await side.command()
                got += command["symbols"]
                lost = (Rejection(command["symbols"][0], "unknown_symbol", ""),)
                await side.send(subscribed(TCS, rejected=lost, answers=command["id"]))
            assert got == names
            assert len((await task).rejected) == 4


async def test_refused_commands(hub, open_stream):
    """An error answer is raised with its reason, except not_ready, which is tried again."""
    async with open_stream() as stream, asyncio.TaskGroup() as group:
        side = await hub.connection()
        task = group.create_task(stream.subscribe(["TCS"]))
        await side.send(HubError((await side.command())["id"], "not_ready", "wait"))
        await side.accept(TCS)
        assert (await task).symbols == (TCS,)
        group.create_task(refuse(side, "too_many_commands"))
        with pytest.raises(CommandRefused) as refusal:
            await stream.subscribe(["TCS"])
        assert refusal.value.reason == "too_many_commands"


async def refuse(side, reason):
    """Answer the next command with an error."""
    await side.send(HubError((await side.command())["id"], reason, "no"))


async def test_no_answer(hub, open_stream, timing):
    """A command without an answer ends with a typed error after its time."""
    async with open_stream(reply_timeout_s=2) as stream, asyncio.TaskGroup() as group:
        side = await hub.connection()
        group.create_task(move_on(side, timing, 2_000))
        with pytest.raises(CommandTimedOut) as error:
            await stream.subscribe(["TCS"])
        assert (error.value.command, error.value.after_s) == ("subscribe", 2)


async def move_on(side, timing, by_ms):
    """When the next command came in, let time pass."""
    await side.command()
    timing.advance(by_ms)


async def test_an_answer_of_another_type(hub, open_stream):
    """A hub that answers a subscribe with a pong is not believed."""
    async with open_stream() as stream, asyncio.TaskGroup() as group:
        side = await hub.connection()
        group.create_task(answer_pong(side))
        with pytest.raises(MalformedMessage):
            await stream.subscribe(["TCS"])


async def answer_pong(side):
    """Answer whatever comes with a pong."""
    await side.send(Pong((await side.command())["id"], SENT_MS))


async def test_a_slow_reader(hub, open_stream):
    """A reader that sleeps through many updates finds one event with the newest values."""
    async with (
        open_stream(symbols=["RELIANCE"]) as stream,
        asyncio.TaskGroup() as group,
    ):
        side = await hub.connection()
        await side.accept(RELIANCE)
        pinging = group.create_task(stream.ping())
        command = await side.command()
        await side.send(image(last_paise=1, volume=1), heartbeat(conflated=1))
        for n in range(12, 512):
            await side.send(update(after=n, to=n + 1, last_paise=n, bid_paise=n))
        await side.send(heartbeat(conflated=2))
        await side.send(Pong(command["id"], SENT_MS))
        await pinging  # the pong comes behind all of it
        event = await until(stream, QuoteChanged)
        assert (event.quote.last_paise, event.quote.sequence) == (511, 512)
        assert event.changed_fields == {"last", "volume", "bid"}
        assert event.conflated == 500
        assert stream.conflated == 501


async def test_nobody_there(timing):
    """Entering a stream without a hub ends with a typed error that says why."""
    async with ScriptedHub() as hub:
        url = hub.url

    def rng():
        """Asked after the failed attempt: the time to open runs out while the stream waits."""
        asyncio.get_running_loop().call_soon(timing.advance, 10_000)
        return 1.0

    stream = QuoteStream(url, timing=timing, backoff=Backoff(60, 60), rng=rng)
    with pytest.raises(NotConnected, match="Connection refused"):
        await stream.__aenter__()


async def test_closed_streams(hub, open_stream):
    """Before and after its block a stream gives no events and takes no commands."""
    stream = open_stream()
    with pytest.raises(StreamClosed):
        await stream.subscribe(["TCS"])
    async with stream:
        side = await hub.connection()
    assert [event async for event in stream] == []
    await side.closed.wait()
    assert side.close_code in {1000, 1006}


async def test_errors_of_the_body(open_stream):
    """An error in the block comes out as it is, not wrapped in a group."""
    with pytest.raises(ZeroDivisionError):
        async with open_stream() as stream:
            assert 1 / (not stream.is_connected)


@pytest.mark.parametrize(
    "options",
    [{"url": "tcp://x"}, {"encoding": "xml"}, {"mode": "all"}, {"session": ""}],
)
def test_impossible_options(options):
    """What can never work is refused at once."""
    with pytest.raises(ValueError, match=r"is no|is not"):
        QuoteStream(**{"url": "ws://x"} | options)
