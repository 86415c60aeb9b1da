"""Keeps a stream connected: opens, restores the set, watches for silence, comes back with jitter."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from bse_client.backoff import Backoff
from bse_client.close_codes import Ending
from bse_client.errors import CommandRefused, StreamRefused
from bse_client.events import Disconnected
from bse_client.fields import Mode
from bse_client.follower import Codes, Follower
from bse_client.link import ConnectFailed, Link, LinkLost, connect
from bse_client.messages import Heartbeat, HubError, Limits, Message, Welcome
from bse_client.subscriptions import Asked, batches
from bse_client.timing import Timing
from bse_client.wire import PROTOCOL, SUBPROTOCOLS, Encoding


GOODBYE_MAX_S = 300.0
"""A hub may send us away for so long at most."""

ASK_LATER = frozenset({"not_ready", "too_many_commands"})
"""Refusals that pass by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to connect. All limits of the edge."""

    url: str
    encoding: Encoding
    client_id: str | None
    connect_timeout_s: float
    reply_timeout_s: float
    backoff: Backoff

    def __post_init__(self) -> None:
        """Refuse at once what can never work."""
        scheme = self.url.partition("://")[0]
        if scheme not in {"ws", "wss", "http", "https"}:
            msg = f"{self.url!r} is no ws:// or wss:// address"
            raise ValueError(msg)
        if self.encoding not in SUBPROTOCOLS:
            msg = f"{self.encoding!r} is not one of {', '.join(SUBPROTOCOLS)}"
            raise ValueError(msg)


class Supervisor:
    """Runs one connection after the other. `wake` is called when there is news for the reader."""

    def __init__(
        self,
        settings: Settings,
        follower: Follower,
        timing: Timing,
        rng: Callable[[], float],
        wake: Callable[[], None],
    ):
        self.settings = settings
        self.refused: StreamRefused | None = None
        self.last_reason = "no attempt was finished"
        self.is_connected = False
        self.opened = asyncio.Event()
        self._follower = follower
        self._timing = timing
        self._rng = rng
        self._wake = wake
        self._failures = 0
        self._link: Link | None = None
        self._ready = asyncio.Event()

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Stay connected for ever, or until the hub refuses us for good."""
        while True:
            ending = await self._one_connection(http)
            self.last_reason = ending.reason
            if ending.is_final:
                self._refuse(ending)
                return
            wait_s = self._wait_s(ending)
            self._follower.mailbox.post(
                Disconnected(ending.reason, wait_s, ending.code)
            )
            self._wake()
            await self._timing.sleep_s(wait_s)

    async def ready_link(self) -> Link:
        """The connection, as soon as there is one with our set restored."""
        while True:
            await self._ready.wait()
            if self.refused:
                raise self.refused
            if self._link:
                return self._link

    async def pause(self, failures: int) -> None:
        """Wait before a command is tried again."""
        await self._timing.sleep_s(self.settings.backoff.wait_s(failures, self._rng))

    async def _one_connection(self, http: aiohttp.ClientSession) -> Ending:
        link: Link | None = None
        try:
            async with self._timing.timeout_s(self.settings.connect_timeout_s):
                link = await connect(
                    http,
                    self.settings.url,
                    self.settings.encoding,
                    self.settings.client_id,
                )
                if ending := await self._be_welcomed(link):
                    return ending
            return await self._converse(link)
        except TimeoutError:
            limit = f"{self.settings.connect_timeout_s:g} s"
            return Ending(f"no welcome within {limit}")
        except ConnectFailed as problem:
            return Ending(str(problem))
        finally:
            await self._hang_up(link)

    async def _be_welcomed(self, link: Link) -> Ending | None:
        while True:
            message = await link.receive()
            if isinstance(message, Ending):
                return message
            if isinstance(message, Welcome) and message.protocol != PROTOCOL:
                reason = f"the hub speaks protocol {message.protocol}, we {PROTOCOL}"
                return Ending(reason, reconnect=False)
            await self._take(link, message)
            if isinstance(message, Welcome):
                return None

    async def _converse(self, link: Link) -> Ending:
        self._link, self.is_connected = link, True
        self.opened.set()
        async with asyncio.TaskGroup() as group:
            restoring = group.create_task(self._restore(link))
            try:
                return await self._read(link)
            finally:
                restoring.cancel()

    async def _read(self, link: Link) -> Ending:
        while True:
            now_ms = self._timing.now_ms()
            due_ms = self._follower.liveness.next_check_ms(now_ms) - now_ms
            try:
                async with self._timing.timeout_s(max(0.0, due_ms / 1000)):
                    message = await link.receive()
            except TimeoutError:
                if self._follower.check(self._timing.now_ms()):
                    return Ending("nothing was heard of the hub")
                self._wake()
                continue
            if isinstance(message, Ending):
                return message
            await self._take(link, message)

    async def _take(self, link: Link, message: Message) -> None:
        asked = link.settle(message)
        again = self._follower.receive(message, self._timing.now_ms(), asked)
        if isinstance(message, Heartbeat):
            self._failures = 0
        self._wake()
        if again:
            await self._ask_images(link, again)

    async def _ask_images(self, link: Link, codes: Codes) -> None:
        by_mode: defaultdict[Mode, list[str]] = defaultdict(list)
        for code in codes:
            if item := self._follower.subscriptions.held.get(code):
                by_mode[item.mode].append(str(code))
        for mode, names in by_mode.items():
            for batch in batches(tuple(names), self._limits()):
                await self._tell(link, Asked("subscribe", batch, mode, is_repeat=True))

    async def _tell(self, link: Link, asked: Asked) -> None:
        try:
            await link.tell(asked)
        except LinkLost:
            return  # the reader of the connection is about to see its end

    async def _restore(self, link: Link) -> None:
        for mode, names in self._follower.subscriptions.restore():
            for batch in batches(names, self._limits()):
                await self._insist(link, Asked("subscribe", batch, mode))
        self._ready.set()

    async def _insist(self, link: Link, asked: Asked) -> None:
        failures = 0
        while True:
            try:
                async with self._timing.timeout_s(self.settings.reply_timeout_s):
                    await link.ask(asked)
            except LinkLost:
                return
            except CommandRefused as problem:
                if problem.reason not in ASK_LATER:
                    error = HubError(None, problem.reason, problem.message)
                    self._follower.mailbox.post(error)
                    return
            except TimeoutError:
                pass
            else:
                return
            await self.pause(failures)
            failures += 1

    def _limits(self) -> Limits | None:
        return self._follower.welcome.limits if self._follower.welcome else None

    async def _hang_up(self, link: Link | None) -> None:
        self._ready.clear()
        self._link, self.is_connected = None, False
        self._follower.disconnected(self._timing.now_ms())
        self._wake()
        if link:
            await link.close()

    def _wait_s(self, ending: Ending) -> float:
        if ending.after_ms is not None:
            return min(GOODBYE_MAX_S, ending.after_ms / 1000)
        self._failures += 1
        return self.settings.backoff.wait_s(self._failures - 1, self._rng)

    def _refuse(self, ending: Ending) -> None:
        self.refused = StreamRefused(ending.reason, ending.code)
        self.opened.set()
        self._ready.set()
        self._wake()
