"""Keeps a stream connected: opens, restores the set, watches for silence, comes back with jitter."""

import asyncio
from collections.abc import Callable

import aiohttp

from bse_client.close_codes import Ending
from bse_client.conversation import Conversation, Pace
from bse_client.errors import StreamRefused, TakenOver, Unauthorized
from bse_client.events import Disconnected
from bse_client.follower import Follower
from bse_client.identity import Credential, NoCredential, fresh
from bse_client.link import ConnectFailed, Link, connect
from bse_client.messages import Heartbeat, Message, Notice, Welcome
from bse_client.settings import Settings
from bse_client.timing import Timing
from bse_client.wire import PROTOCOL


_UNAUTHORIZED = frozenset({401, 403})
_NO_IDENTITY = frozenset({4502, 4503})
_TAKEN_OVER = 4504


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
        self.token: Credential | None = None
        self.pace = Pace()
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
        is_return = self._follower.welcome is not None
        try:
            async with self._timing.timeout_s(self.settings.connect_timeout_s):
                link = await self._connect(http)
                if ending := await self._be_welcomed(link):
                    return ending
            return await self._converse(link, is_return=is_return)
        except TimeoutError:
            limit = f"{self.settings.connect_timeout_s:g} s"
            return Ending(f"no welcome within {limit}")
        except NoCredential as problem:
            return Ending(str(problem))
        except ConnectFailed as problem:
            return self._failed(problem)
        finally:
            await self._hang_up(link)

    async def _connect(self, http: aiohttp.ClientSession) -> Link:
        settings = self.settings
        ticket = settings.ticket and await fresh(settings.ticket)
        named = {
            "client_id": settings.client_id,
            "session": settings.session,
            "ticket": ticket,
            "compress": "deflate" if settings.compress else None,
        }
        return await connect(
            http,
            settings.url,
            settings.encoding,
            query={name: value for name, value in named.items() if value},
            token=self.token and await fresh(self.token),
            compress=settings.compress,
        )

    def _failed(self, problem: ConnectFailed) -> Ending:
        # Only who can bring another token or ticket may come back after a refusal.
        asks_anew = callable(self.token) or callable(self.settings.ticket)
        final = problem.status in _UNAUTHORIZED and not asks_anew
        wait_s = problem.retry_after_s
        return Ending(
            str(problem),
            reconnect=not final,
            after_ms=None if wait_s is None else wait_s * 1000,
            status=problem.status,
        )

    async def _be_welcomed(self, link: Link) -> Ending | None:
        while True:
            message = await link.receive()
            if isinstance(message, Ending):
                return message
            if isinstance(message, Welcome) and message.protocol != PROTOCOL:
                reason = f"the hub speaks protocol {message.protocol}, we {PROTOCOL}"
                return Ending(reason, reconnect=False)
            link.settle(message)
            self._follower.receive(message, self._timing.now_ms())
            self._wake()
            if isinstance(message, Welcome):
                return None

    async def _converse(self, link: Link, *, is_return: bool) -> Ending:
        self._link, self.is_connected = link, True
        self.opened.set()
        talk = Conversation(
            link, self._follower, self.settings, self._timing, self._rng
        )
        async with asyncio.TaskGroup() as group:
            background = {group.create_task(self._restore(talk, is_return=is_return))}
            try:
                while True:
                    message = await self._next(link)
                    if isinstance(message, Ending):
                        return message
                    await self._take(talk, message)
                    if self._is_expiring(message) and self.token:
                        refreshing = group.create_task(talk.refresh(self.token))
                        background.add(refreshing)
            finally:
                for task in background:
                    task.cancel()

    async def _next(self, link: Link) -> Message | Ending:
        """The next message; in the meantime what silence means is looked at when it is due."""
        while True:
            now_ms = self._timing.now_ms()
            due_ms = self._follower.liveness.next_check_ms(now_ms) - now_ms
            try:
                async with self._timing.timeout_s(max(0.0, due_ms / 1000)):
                    return await link.receive()
            except TimeoutError:
                if self._follower.check(self._timing.now_ms()):
                    return Ending("nothing was heard of the hub")
                self._wake()

    async def _take(self, talk: Conversation, message: Message) -> None:
        asked = talk.link.settle(message)
        again = self._follower.receive(message, self._timing.now_ms(), asked)
        if isinstance(message, Heartbeat):
            self._failures = 0
        self._wake()
        if again:
            await talk.ask_images(again)

    def _is_expiring(self, message: Message) -> bool:
        is_expiring = isinstance(message, Notice) and message.reason == "token_expiring"
        return is_expiring and callable(self.token)

    async def _restore(self, talk: Conversation, *, is_return: bool) -> None:
        if await talk.restore(self.pace, is_return=is_return):
            self._ready.set()
            self._wake()

    async def _hang_up(self, link: Link | None) -> None:
        self._ready.clear()
        self._link, self.is_connected = None, False
        self._follower.disconnected(self._timing.now_ms())
        self._wake()
        if link:
            await link.close()

    def _wait_s(self, ending: Ending) -> float:
        if ending.told_wait_s:
            return ending.told_wait_s
        self._failures += 1
        return self.settings.backoff.wait_s(self._failures - 1, self._rng)

    def _refuse(self, ending: Ending) -> None:
        kind = StreamRefused
        if ending.status in _UNAUTHORIZED or ending.code in _NO_IDENTITY:
            kind = Unauthorized
        elif ending.code == _TAKEN_OVER:
            kind = TakenOver
        self.refused = kind(ending.reason, ending.code)
        self.opened.set()
        self._ready.set()
        self._wake()
