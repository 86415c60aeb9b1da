"""The time between entering a stream and leaving it: its background work, and the HTTP session that it opened itself."""

import asyncio

import aiohttp

from bse_client.background import Background
from bse_client.errors import NotConnected
from bse_client.supervisor import Supervisor
from bse_client.timing import Timing


class Running:
    """Of one stream. `news` is set when it ends. `http`: the program's own session, which stays open."""

    def __init__(
        self,
        supervisor: Supervisor,
        timing: Timing,
        news: asyncio.Event,
        http: aiohttp.ClientSession | None,
    ):
        self._supervisor = supervisor
        self._timing = timing
        self._news = news
        self._http = http
        self._opened_http: aiohttp.ClientSession | None = None
        self._background: Background | None = None

    def __bool__(self) -> bool:
        """Whether it was entered and not left yet."""
        return self._background is not None

    async def begin(self, open_timeout_s: float | None) -> None:
        """Start, and wait so long for a connection. Raises NotConnected, StreamRefused."""
        http = self._http or aiohttp.ClientSession()
        self._opened_http = None if self._http else http
        self._background = Background()
        await self._background.start(self._supervisor.run(http))
        try:
            await self._opened(open_timeout_s)
        except BaseException as error:
            await self.end(error)
            raise

    async def end(self, error: BaseException | None) -> None:
        """Stop, with what ended the body."""
        background, self._background = self._background, None
        self._news.set()
        try:
            if background:
                await background.stop(error)
        finally:
            if self._opened_http:
                await self._opened_http.close()

    async def _opened(self, within_s: float | None) -> None:
        if within_s == 0:
            return
        try:
            async with self._timing.timeout_s(within_s):
                await self._supervisor.opened.wait()
        except TimeoutError:
            reason = self._supervisor.last_reason
            raise NotConnected(self._supervisor.settings.url, reason) from None
        if self._supervisor.refused:
            raise self._supervisor.refused
