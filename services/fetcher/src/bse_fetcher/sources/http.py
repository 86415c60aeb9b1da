"""Asks a web API, politely, and turns whatever the network does into our errors. Shared by all sources over HTTP.

Redirects mean a refused session and are not followed.
"""

from collections.abc import Callable, Mapping

import aiohttp
from aiohttp import ClientTimeout

from bse_fetcher.sources.errors import (
    ExchangeUnavailable,
    Forbidden,
    MalformedAnswer,
    RateLimited,
    Unauthorized,
)


RETRY_AFTER_S = 30.0
RETRY_AFTER_MAX_S = 3600.0
CONNECT_S = 3.0


class HttpDoor:
    """One host, asked with one set of headers."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        headers: Mapping[str, str],
        timeout_s: float,
        answer_bytes_max: int,
    ):
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._timeout = ClientTimeout(total=timeout_s, connect=CONNECT_S)
        self._bytes_max = answer_bytes_max

    async def get(
        self,
        path: str,
        query: Mapping[str, str] | list[tuple[str, str]],
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of a 200. Raises ExchangeError."""
        chunks: list[bytes] = []
        await self.hear(chunks.append, path, query, headers)
        return b"".join(chunks)

    async def hear(
        self,
        take: Callable[[bytes], None],
        path: str,
        query: Mapping[str, str] | list[tuple[str, str]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Hand over the body of a 200 chunk by chunk, as it comes. Raises ExchangeError, also in the midst of it."""
        try:
            async with self._session.get(
                self._base_url + path,
                params=query,
                headers={**self._headers, **(headers or {})},
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                _refuse(answer)
                await self._hear_body(answer, take)
        except TimeoutError:
            raise ExchangeUnavailable(
                "timeout", f"no answer in {self._timeout_s:g} s"
            ) from None
        except aiohttp.ClientPayloadError as error:
            raise MalformedAnswer("truncated", str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ExchangeUnavailable("connection", str(error)) from error

    async def _hear_body(
        self, answer: aiohttp.ClientResponse, take: Callable[[bytes], None]
    ) -> None:
        """The body is inflated by aiohttp chunk by chunk, so that a bomb is cut at the limit."""
        size = 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > self._bytes_max:
                raise MalformedAnswer("too_big", f"over {self._bytes_max} bytes")
            take(chunk)


def _refuse(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    if status == 200:  # noqa: PLR2004 - HTTP
        return
    if status == 401:  # noqa: PLR2004
        raise Unauthorized("the source does not know us (HTTP 401)")
    if status == 403:  # noqa: PLR2004
        raise Forbidden("the exchange blocks us (HTTP 403)")
    if status == 429:  # noqa: PLR2004
        raise RateLimited(_retry_after_s(answer.headers.get("Retry-After", "")))
    kind = (
        "redirected"
        if 300 <= status < 400  # noqa: PLR2004
        else "not_found"
        if status == 404  # noqa: PLR2004
        else "refused"
        if 400 <= status < 500  # noqa: PLR2004 - the question is wrong, and will be so again
        else "server_error"
    )
    raise ExchangeUnavailable(kind, f"HTTP {status}")


def _retry_after_s(text: str) -> float:
    """Whole seconds; anything else (a date, garbage) gets the usual wait."""
    if not (text.isascii() and text.isdigit()):
        return RETRY_AFTER_S
    return min(max(float(text[:9]), 1.0), RETRY_AFTER_MAX_S)
