"""The stream as its user sees it: enter it, subscribe, iterate over events, look up quotes."""

import asyncio
import random
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import aiohttp

from bse_client.background import Background
from bse_client.backoff import Backoff
from bse_client.errors import (
    CommandRefused,
    CommandTimedOut,
    MalformedMessage,
    NotConnected,
    StreamClosed,
)
from bse_client.events import Event
from bse_client.fields import Mode
from bse_client.follower import Follower
from bse_client.link import LinkLost
from bse_client.messages import (
    Answer,
    Heartbeat,
    Limits,
    Pong,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.quote import Quote
from bse_client.quotes_view import Quotes
from bse_client.subscriptions import Asked, batches, normal
from bse_client.supervisor import Settings, Supervisor
from bse_client.timing import RealTiming, Timing
from bse_client.wire import Encoding


class QuoteStream:
    """A stream of quotes that stays connected. Use it as `async with`, by one reader.

    symbols, mode: what to subscribe to from the start. client_id: also follow the set stored under
    this name. open_timeout_s: how long entering tries to connect (None: for ever; 0: don't wait).
    http: a session of yours, e.g. with a proxy or certificates; it stays open.
    """

    def __init__(
        self,
        url: str,
        *,
        symbols: Iterable[str | int] = (),
        mode: Mode | str = Mode.QUOTE,
        encoding: Encoding = "msgpack",
        client_id: str | None = None,
        open_timeout_s: float | None = 10.0,
        connect_timeout_s: float = 5.0,
        reply_timeout_s: float = 10.0,
        lost_after_heartbeats: int = 5,
        backoff: Backoff | None = None,
        http: aiohttp.ClientSession | None = None,
        timing: Timing | None = None,
        rng: Callable[[], float] = random.random,
    ):
        self._mode = Mode(mode)
        self._open_timeout_s = open_timeout_s
        self._http = http
        self._timing = timing or RealTiming()
        self._news = asyncio.Event()
        self._follower = Follower(lost_after_heartbeats)
        self._follower.subscriptions.unanswered = dict.fromkeys(
            normal(symbols), self._mode
        )
        settings = Settings(
            url=url,
            encoding=encoding,
            client_id=client_id,
            connect_timeout_s=connect_timeout_s,
            reply_timeout_s=reply_timeout_s,
            backoff=backoff or Backoff(),
        )
        self._supervisor = Supervisor(
            settings, self._follower, self._timing, rng, self._news.set
        )
        self._background: Background | None = None
        self._opened_http: aiohttp.ClientSession | None = None
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
    def conflated(self) -> int:
        """How many events were merged into others because the reader was slow."""
        return self._follower.mailbox.conflated

    # Commands.

    async def subscribe(
        self, symbols: Iterable[str | int], *, mode: Mode | str | None = None
    ) -> Subscribed:
        """Add scrips by symbol, code or ISIN, or change their mode. Rejections are in the answer.

        Waits through reconnects. Raises CommandTimedOut, CommandRefused or StreamRefused.
        """
        asked = Asked("subscribe", normal(symbols), Mode(mode or self._mode))
        answer = Subscribed(None, self.subscriptions, ())
        for batch in batches(asked.symbols, self._limits()):
            given = await self._answered(asked._replace(symbols=batch))
            if not isinstance(given, Subscribed):
                raise MalformedMessage("the answer to subscribe is of another type")
            answer = Subscribed(
                given.id, given.symbols, answer.rejected + given.rejected
            )
        return answer

    async def unsubscribe(self, symbols: Iterable[str | int]) -> Unsubscribed:
        """Remove scrips. Those that were not subscribed are rejections in the answer."""
        asked = Asked("unsubscribe", normal(symbols))
        answer = Unsubscribed(None, self.subscriptions, ())
        for batch in batches(asked.symbols, self._limits()):
            given = await self._answered(asked._replace(symbols=batch))
            if not isinstance(given, Unsubscribed):
                raise MalformedMessage("the answer to unsubscribe is of another type")
            answer = Unsubscribed(
                given.id, given.symbols, answer.rejected + given.rejected
            )
        return answer

    async def ping(self) -> float:
        """The round trip to the hub in milliseconds."""
        sent_ms = self._timing.now_ms()
        if not isinstance(await self._answered(Asked("ping", ())), Pong):
            raise MalformedMessage("the answer to ping is of another type")
        return self._timing.now_ms() - sent_ms

    # Events.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            if self._background is None:
                raise StopAsyncIteration
            if event := self._follower.mailbox.take(self._quote):
                return event
            if self._supervisor.refused:
                raise self._supervisor.refused
            self._news.clear()
            await self._news.wait()

    # Opening and closing.

    async def __aenter__(self) -> Self:
        http = self._http or aiohttp.ClientSession()
        self._opened_http = None if self._http else http
        self._background = Background()
        await self._background.start(self._supervisor.run(http))
        try:
            await self._opened()
        except BaseException as error:
            await self._close(error)
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._close(error)

    # Private.

    async def _close(self, error: BaseException | None) -> None:
        background, self._background = self._background, None
        self._news.set()
        try:
            if background:
                await background.stop(error)
        finally:
            if self._opened_http:
                await self._opened_http.close()

    async def _opened(self) -> None:
        if self._open_timeout_s == 0:
            return
        try:
            async with self._timing.timeout_s(self._open_timeout_s):
                await self._supervisor.opened.wait()
        except TimeoutError:
            reason = self._supervisor.last_reason
            raise NotConnected(self._supervisor.settings.url, reason) from None
        if self._supervisor.refused:
            raise self._supervisor.refused

    async def _answered(self, asked: Asked) -> Answer:
        if self._background is None:
            raise StreamClosed
        limit_s, why = self._supervisor.settings.reply_timeout_s, ""
        try:
            async with self._timing.timeout_s(limit_s):
                for failures in range(1 << 30):
                    link = await self._supervisor.ready_link()
                    try:
                        return await link.ask(asked)
                    except LinkLost:
                        why = "the connection was lost"
                    except CommandRefused as refused:
                        if refused.reason != "not_ready":
                            raise
                        why = str(refused)
                        await self._supervisor.pause(failures)
        except TimeoutError:
            pass
        raise CommandTimedOut(asked.op, limit_s, why or self._supervisor.last_reason)

    def _limits(self) -> Limits | None:
        return self._follower.welcome.limits if self._follower.welcome else None

    def _quote(self, code: int) -> Quote | None:
        return self._follower.quote(code, self._timing.now_ms())
