"""Asks instances over HTTP whether they are ready, and for their metrics.

An address comes from a heartbeat, an answer from whoever listens there: neither is trusted. Only http://, no
redirects, a deadline, a bounded body, a new connection each time (so that a full backlog shows).
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import msgspec

from bse_monitor.rules.observation import Answer, Probe
from bse_monitor.rules.words import clip, clip_all
from bse_monitor.watch.figures import NotMetrics, read_figures
from bse_shared.pacing.clock import Clock


READYZ_BYTES_MAX = 16 * 1024
METRICS_BYTES_MAX = 512 * 1024

PORT_MAX = 65_535
_ADDRESS = re.compile(
    r"http://(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(?P<port>[0-9]{1,5})"
)

OK = 200
UNAVAILABLE = 503


class Garbled(Exception):
    """The answer is not one that our services give."""


class ReadyzBody(msgspec.Struct):
    """What /readyz of every service says."""

    ready: bool
    reasons: list[str] = []


@asynccontextmanager
async def open_probes(
    clock: Clock, deadline_s: float, at_once_max: int
) -> AsyncIterator["ServiceProbes"]:
    """Probes with an HTTP client of their own."""
    connector = aiohttp.TCPConnector(limit=2 * at_once_max, force_close=True)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "bse-monitor", "Accept-Encoding": "identity"},
        auto_decompress=False,
    ) as session:
        yield ServiceProbes(session, clock, deadline_s, at_once_max)


class ServiceProbes:
    """Asks many instances at once, but not more than `at_once_max`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        deadline_s: float,
        at_once_max: int,
    ):
        self._session = session
        self._clock = clock
        self._deadline_s = deadline_s
        self._slots = asyncio.Semaphore(at_once_max)

    async def ask(self, urls: Iterable[str]) -> dict[str, Probe]:
        """The answer of each address."""
        async with asyncio.TaskGroup() as group:
            asking = {url: group.create_task(self._probe(url)) for url in set(urls)}
        return {url: task.result() for url, task in asking.items()}

    async def _probe(self, url: str) -> Probe:
        if not is_probeable(url):
            return Probe(
                Answer.UNREACHABLE, (f"not an address to probe: {clip(url, 80)}",)
            )
        async with self._slots, asyncio.TaskGroup() as group:
            readyz = group.create_task(self._readyz(url))
            metrics = group.create_task(self._figures(url))
        figures, error = metrics.result()
        return replace(readyz.result(), figures=figures, figures_error=error)

    async def _readyz(self, url: str) -> Probe:
        asked_ms = self._clock.monotonic_ms()
        try:
            status, body = await self._get(f"{url}/readyz", READYZ_BYTES_MAX)
            probe = _read_readyz(status, body)
        except Garbled as error:
            probe = Probe(Answer.GARBLED, (f"/readyz: {error}",))
        except TimeoutError:
            probe = Probe(Answer.SLOW, (f"/readyz: {self._too_slow}",))
        # ValueError: a host name that cannot be one, found out only when it is resolved.
        except (OSError, ValueError) as error:
            probe = Probe(
                Answer.UNREACHABLE, (f"nothing answers at {url}: {_why(error)}",)
            )
        except aiohttp.ClientError as error:
            probe = Probe(Answer.GARBLED, (f"/readyz: {_named(error)}",))
        return replace(probe, took_ms=self._clock.monotonic_ms() - asked_ms)

    async def _figures(self, url: str) -> tuple[dict[str, float], str]:
        try:
            status, body = await self._get(f"{url}/metrics", METRICS_BYTES_MAX)
            if status != OK:
                return {}, f"/metrics: HTTP {status}"
            return dict(read_figures(body.decode(errors="replace"))), ""
        except TimeoutError:
            return {}, f"/metrics: {self._too_slow}"
        except (Garbled, NotMetrics) as error:
            return {}, f"/metrics: {clip(str(error))}"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return {}, f"/metrics: {_named(error)}"

    async def _get(self, url: str, bytes_max: int) -> tuple[int, bytes]:
        async with (
            asyncio.timeout(self._deadline_s),
            self._session.get(url, allow_redirects=False) as response,
        ):
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > bytes_max:
                    raise Garbled(f"an answer of more than {bytes_max} bytes")
            return response.status, bytes(body)

    @property
    def _too_slow(self) -> str:
        return f"no answer within {self._deadline_s:g} s"


def is_probeable(url: str) -> bool:
    """Whether the address is a plain `http://host:port`."""
    found = _ADDRESS.fullmatch(url)
    return found is not None and 0 < int(found["port"]) <= PORT_MAX


def _read_readyz(status: int, body: bytes) -> Probe:
    if status not in {OK, UNAVAILABLE}:
        raise Garbled(f"HTTP {status}")
    try:
        said = msgspec.json.decode(body, type=ReadyzBody)
    except (ValueError, RecursionError) as error:
        raise Garbled(f"HTTP {status} without the JSON of a probe") from error
    if status == OK and said.ready:
        return Probe(Answer.READY)
    return Probe(Answer.NOT_READY, clip_all(said.reasons))


def _why(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number and number > 0:
        return os.strerror(number).lower()
    return clip(str(error))


def _named(error: Exception) -> str:
    return clip(f"{type(error).__name__}: {error}")
