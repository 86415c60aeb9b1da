"""Asks BSE's web API, politely, and turns whatever the network does into our errors.

BSE checks header *sets*: what is sent is configuration. Redirects mean a refused session and are not followed.
"""

import aiohttp
from aiohttp import ClientTimeout

from bse_fetcher.settings import BseSettings
from bse_fetcher.sources.errors import (
    ExchangeUnavailable,
    Forbidden,
    MalformedAnswer,
    RateLimited,
)


MARKET_PATH = "/BseIndiaAPI/api/GetMktData/w"
MARKET_QUERY = {"ordcol": "TT", "strType": "AllMkt", "strfilter": "All"}
MASTER_PATH = "/BseIndiaAPI/api/ListofScripData/w"
MASTER_QUERY = {
    "Group": "",
    "Scripcode": "",
    "industry": "",
    "segment": "Equity",
    "status": "Active",
}

RETRY_AFTER_S = 30.0
RETRY_AFTER_MAX_S = 3600.0


class BseClient:
    """One session to BSE (or to a stand-in with another base URL)."""

    def __init__(self, session: aiohttp.ClientSession, settings: BseSettings):
        self._session = session
        self._settings = settings
        self._timeout = ClientTimeout(total=settings.timeout_s, connect=3)

    async def market(self) -> bytes:
        """The whole market's rows as BSE sent them. Raises ExchangeError."""
        return await self._get(MARKET_PATH, MARKET_QUERY)

    async def master(self) -> bytes:
        """The list of active scrips. Raises ExchangeError."""
        return await self._get(MASTER_PATH, MASTER_QUERY)

    async def _get(self, path: str, query: dict[str, str]) -> bytes:
        try:
            async with self._session.get(
                self._settings.base_url.rstrip("/") + path,
                params=query,
                headers=self._settings.headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                _refuse(answer)
                return await self._body(answer)
        except TimeoutError:
            raise ExchangeUnavailable(
                "timeout", f"no answer in {self._settings.timeout_s:g} s"
            ) from None
        except aiohttp.ClientPayloadError as error:
            raise MalformedAnswer("truncated", str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ExchangeUnavailable("connection", str(error)) from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        """The body, inflated by aiohttp chunk by chunk, so that a bomb is cut at the limit."""
        chunks, size = [], 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > self._settings.answer_bytes_max:
                raise MalformedAnswer(
                    "too_big", f"over {self._settings.answer_bytes_max} bytes"
                )
            chunks.append(chunk)
        return b"".join(chunks)


def _refuse(answer: aiohttp.ClientResponse) -> None:
    status = answer.status
    if status == 200:  # noqa: PLR2004 - HTTP
        return
    if status == 403:  # noqa: PLR2004
        raise Forbidden("the exchange blocks us (HTTP 403)")
    if status == 429:  # noqa: PLR2004
        raise RateLimited(_retry_after_s(answer.headers.get("Retry-After", "")))
    kind = (
        "redirected"
        if 300 <= status < 400  # noqa: PLR2004
        else "not_found"
        if status == 404  # noqa: PLR2004
        else "server_error"
    )
    raise ExchangeUnavailable(kind, f"HTTP {status}")


def _retry_after_s(text: str) -> float:
    """Whole seconds; anything else (a date, garbage) gets the usual wait."""
    if not (text.isascii() and text.isdigit()):
        return RETRY_AFTER_S
    return min(max(float(text[:9]), 1.0), RETRY_AFTER_MAX_S)
