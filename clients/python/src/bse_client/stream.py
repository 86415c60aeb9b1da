"""The stream as its user sees it: enter it, subscribe, iterate over events, look up quotes."""

import asyncio
import random
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import aiohttp

from bse_client.answers import (
    Authenticated,
    Identity,
    Limits,
    Pong,
    RateGranted,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.asker import A, Asker, S
from bse_client.backoff import Backoff
from bse_client.commands import Asked, Want, normal
from bse_client.conversation import Pace, authenticate
from bse_client.errors import StreamClosed
from bse_client.events import Event
from bse_client.fields import Mode
from bse_client.follower import Follower
from bse_client.identity import Credential
from bse_client.messages import Heartbeat
from bse_client.quote import Quote
from bse_client.quotes_view import Quotes
from bse_client.running import Running
from bse_client.settings import Settings
from bse_client.supervisor import Supervisor
from bse_client.timing import RealTiming, Timing
from bse_client.wire import Encoding


class QuoteStream:
    """A stream of quotes that stays connected. Use it as `async with`, by one reader.

    symbols; mode or fields; max_hz or every: what to subscribe to from the start, and what `subscribe`
    means if it says nothing else. client_id: also follow the set stored under this name.
    token, ticket: who you are; a text, or a function (also async) that gives a fresh one each time.
    session: of your connections with this name only the newest lives.
    heartbeat_interval_ms: how often to be told that all is well (500 to 5000). digest: prove with each
    heartbeat that we hold what the hub holds. compress: have large messages deflated, for a thin line.
    open_timeout_s: how long entering tries to connect (None: for ever; 0: don't wait).
    http: a session of yours, e.g. with a proxy or certificates; it stays open.
    """

    def __init__(
        self,
        url: str,
        *,
        symbols: Iterable[str | int] = (),
        mode: Mode | str | None = None,
        fields: Iterable[str] | None = None,
        max_hz: float | None = None,
        every: bool = False,
        encoding: Encoding = "msgpack",
        client_id: str | None = None,
        token: Credential | None = None,
        ticket: Credential | None = None,
        session: str | None = None,
        heartbeat_interval_ms: int | None = None,
        digest: bool = True,
        compress: bool = False,
        open_timeout_s: float | None = 10.0,
        connect_timeout_s: float = 5.0,
        reply_timeout_s: float = 10.0,
        lost_after_heartbeats: int = 5,
        backoff: Backoff | None = None,
        http: aiohttp.ClientSession | None = None,
        timing: Timing | None = None,
        rng: Callable[[], float] = random.random,
    ):
        self._want = Want.of(mode, fields, max_hz, every=every)
        self._open_timeout_s = open_timeout_s
        self._timing = timing or RealTiming()
        self._news = asyncio.Event()
        self._follower = Follower(lost_after_heartbeats)
        self._follower.subscriptions.unanswered = dict.fromkeys(
            normal(symbols), self._want
        )
        settings = Settings(
            url=url,
            encoding=encoding,
            client_id=client_id,
            session=session,
            ticket=ticket,
            heartbeat_interval_ms=heartbeat_interval_ms,
            digest=digest,
            compress=compress,
            connect_timeout_s=connect_timeout_s,
            reply_timeout_s=reply_timeout_s,
            backoff=backoff or Backoff(),
        )
        self._supervisor = Supervisor(
            settings, self._follower, self._timing, rng, self._news.set
        )
        self._supervisor.token = token
        self._asker = Asker(self._supervisor, self._timing)
        self._running = Running(self._supervisor, self._timing, self._news, http)
        self.quotes = Quotes(self._follower, self._timing.now_ms)

    # What is known.

    @property
    def is_connected(self) -> bool:
        """Whether a hub has welcomed us and the connection stands."""
        return self._supervisor.is_connected

    @property
    def heartbeat(self) -> Heartbeat | None:
        """The last heartbeat: the state of the feed and of the market."""
        return self._follower.heartbeat

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """The full set, as the hub last told it on this connection."""
        return tuple(self._follower.subscriptions.held.values())

    @property
    def identity(self) -> Identity | None:
        """Who we are to the hub; None: nobody in particular."""
        return self._follower.identity

    @property
    def limits(self) -> Limits | None:
        """What the hub accepts of us; None before the first welcome."""
        return self._follower.limits

    @property
    def conflated(self) -> int:
        """How many events were merged into others because the reader was slow."""
        return self._follower.mailbox.conflated

    @property
    def digest_mismatches(self) -> int:
        """How often we did not hold what the hub held, and took new images."""
        return self._follower.digest_mismatches

    # Commands.

    async def subscribe(
        self,
        symbols: Iterable[str | int],
        *,
        mode: Mode | str | None = None,
        fields: Iterable[str] | None = None,
        max_hz: float | None = None,
        every: bool = False,
    ) -> Subscribed:
        """Add scrips by symbol, code or ISIN, or change what is sent of them. Rejections are in the answer.

        `index:SENSEX`, `group:A` and `*` name many. max_hz: at most so many updates a second of each.
        every: each change by itself, none merged. Without any of the four: as the stream was made.
        Waits through reconnects. Raises CommandTimedOut, CommandRefused or StreamRefused.
        """
        says = mode is not None or fields is not None or max_hz is not None or every
        want = Want.of(mode, fields, max_hz, every=every) if says else self._want
        asked = Asked("subscribe", normal(symbols), want)
        return await self._set_answered(asked, Subscribed)

    async def unsubscribe(self, symbols: Iterable[str | int]) -> Unsubscribed:
        """Remove scrips. Those that were not subscribed are rejections in the answer."""
        asked = Asked("unsubscribe", normal(symbols))
        return await self._set_answered(asked, Unsubscribed)

    async def rate(self, max_hz: float | None) -> float | None:
        """At most so many update messages a second, all scrips together, now and after reconnects.

        None: no limit. Returns what the hub granted.
        """
        asked = Asked("rate", options={"max_hz": max_hz})
        granted = await self._answered(asked, RateGranted)
        self._supervisor.pace = Pace(max_hz)
        return granted.max_hz

    async def authenticate(self, token: str) -> Identity:
        """Show a token, also instead of one that ends. It serves for reconnects, too."""
        answer = await self._answered(authenticate(token), Authenticated)
        if not callable(self._supervisor.token):
            self._supervisor.token = token
        return answer.identity

    async def ping(self) -> float:
        """The round trip to the hub in milliseconds."""
        sent_ms = self._timing.now_ms()
        await self._answered(Asked("ping"), Pong)
        return self._timing.now_ms() - sent_ms

    # Events.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            if not self._running:
                raise StopAsyncIteration
            if event := self._follower.mailbox.take(self._quote):
                return event
            if self._supervisor.refused:
                raise self._supervisor.refused
            self._news.clear()
            await self._news.wait()

    # Opening and closing.

    async def __aenter__(self) -> Self:
        await self._running.begin(self._open_timeout_s)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._running.end(error)

    # Private.

    async def _set_answered(self, asked: Asked, kind: type[S]) -> S:
        if not self._running:
            raise StreamClosed
        held = self.subscriptions
        return await self._asker.set_answered(asked, kind, held, self.limits)

    async def _answered(self, asked: Asked, kind: type[A]) -> A:
        if not self._running:
            raise StreamClosed
        return await self._asker.answered(asked, kind)

    def _quote(self, code: int) -> Quote | None:
        return self._follower.quote(code, self._timing.now_ms())
