"""Who we are: tokens and tickets at connect, fresh ones in time, and what ends a stream for good."""

import asyncio

import pytest
from aiohttp import web

from bse_client import (
    Backoff,
    Connected,
    Disconnected,
    HubError,
    Notice,
    TakenOver,
    Unauthorized,
)
from bse_client.answers import Authenticated
from bse_client.messages import Goodbye
from bse_client.messages import Notice as NoticeMessage
from bse_client.testing import welcome
from bse_client.testing.builders import LIMITS, TRADER


EXPIRING = NoticeMessage("token_expiring", expires_at_ms=1_795_338_000_000)


async def until(stream, kind):
    """The next event of a kind."""
    async for event in stream:
        if isinstance(event, kind):
            return event
    return None


class Tokens:
    """A provider that numbers its tokens; those in `bad` it can't get."""

    def __init__(self, *bad):
        self.given = 0
        self.bad = bad

    async def __call__(self):
        """A fresh token."""
        self.given += 1
        if self.given in self.bad:
            raise OSError("the gateway is away")
        return f"token-{self.given}"


async def test_a_token_at_connect(hub, open_stream):
    """A token goes into the header, a session name and a ticket into the address."""
    options = {"token": "ey.a.b", "session": "desk 1", "ticket": lambda: "t-1"}
    async with open_stream(**options) as stream:
        side = await hub.connection()
        assert side.authorization == "Bearer ey.a.b"
        assert side.query == {"session": "desk 1", "ticket": "t-1"}
        await side.send(welcome(identity=TRADER, limits=LIMITS))
        await until(stream, Connected)
        await until(stream, Connected)
        assert (stream.identity, stream.limits) == (TRADER, LIMITS)


async def test_each_connection_has_a_fresh_token(hub, open_stream):
    """A provider is called before each attempt; one that fails is a failed attempt."""
    async with open_stream(token=Tokens(2)) as stream:
        side = await hub.connection()
        assert side.authorization == "Bearer token-1"
        await side.send(Goodbye("token_expired", reconnect=True, after_ms=0))
        await side.close(4001)
        assert (await until(stream, Disconnected)).code == 4001
        failed = await until(stream, Disconnected)
        assert "OSError: the gateway is away" in failed.reason
        assert (await hub.connection()).authorization == "Bearer token-3"


async def test_a_token_is_replaced_in_time(hub, open_stream):
    """Before the token ends a fresh one is shown on the open connection, again if that fails."""
    async with open_stream(token=Tokens(2)) as stream:
        side = await hub.connection()
        await side.send(EXPIRING)
        assert (await until(stream, Notice)).expires_at_ms == 1_795_338_000_000
        command = await side.answer(lambda n: Authenticated(n, TRADER, LIMITS))
        assert (command["op"], command["token"]) == ("authenticate", "token-3")
        assert (await until(stream, HubError)).reason == "no_token"
        await side.send(welcome())
        await until(stream, Connected)
        assert stream.is_connected


async def test_a_token_of_the_program(hub, open_stream):
    """Who has a plain token is told, shows the next one, and comes back with that."""
    async with open_stream(token="old") as stream, asyncio.TaskGroup() as group:
        side = await hub.connection()
        await side.send(EXPIRING)
        await until(stream, Notice)
        task = group.create_task(stream.authenticate("new"))
        await side.answer(lambda n: Authenticated(n, TRADER, LIMITS))
        assert await task == TRADER
        assert stream.identity == TRADER
        await side.close(4000)
        assert (await hub.connection()).authorization == "Bearer new"


async def test_a_refused_token(hub, open_stream):
    """A plain token that the hub does not take ends the stream; a provider is asked again."""
    hub.refusals = [web.Response(status=status) for status in (401, 403, 401)]
    for status in ("401", "403"):
        with pytest.raises(Unauthorized, match=status):
            await open_stream(token="bad").__aenter__()
    async with open_stream(token=Tokens()):
        assert (await hub.connection()).authorization == "Bearer token-2"


async def test_too_many_attempts(hub, open_stream, timing):
    """HTTP 429 says when to come back."""
    hub.refusals = [web.Response(status=429, headers={"Retry-After": "7"})]
    async with open_stream(open_timeout_s=0, backoff=Backoff(1, 1)) as stream:
        assert (await until(stream, Disconnected)).retry_in_s == 7
        timing.advance(7_000)
        await hub.connection()
        await until(stream, Connected)


@pytest.mark.parametrize(
    ("code", "kind"), [(4502, Unauthorized), (4503, Unauthorized), (4504, TakenOver)]
)
async def test_typed_ends(hub, open_stream, code, kind):
    """Revoked, never authenticated and taken over are errors of their own."""
    async with open_stream() as stream:
        await (await hub.connection()).close(code)
        with pytest.raises(kind) as refusal:
            await until(stream, Disconnected)
        assert refusal.value.code == code
