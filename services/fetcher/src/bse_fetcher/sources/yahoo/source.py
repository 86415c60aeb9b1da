"""Yahoo Finance: a batch source and a minute source, unofficial and for personal use; backup and cross-check.

A batch needs a crumb, which belongs to a cookie. Both are fetched when the first batch needs them, and once more
when Yahoo says that they are no longer good. A chart, of one scrip, needs none.
"""

from collections.abc import Sequence
from urllib.parse import quote

import aiohttp

from bse_fetcher.source_settings import YahooSettings
from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.entry import Entry
from bse_fetcher.sources.errors import (
    ExchangeUnavailable,
    MalformedAnswer,
    Unauthorized,
)
from bse_fetcher.sources.http import HttpDoor
from bse_fetcher.sources.yahoo.chart import read_chart
from bse_fetcher.sources.yahoo.payload import read_quotes
from bse_shared.quotes.candles import Candle
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import Source
from bse_shared.redis_edge.source_budgets import Budget


QUOTE_PATH = "/v7/finance/quote"
CHART_PATH = "/v8/finance/chart/"
CRUMB_PATH = "/v1/test/getcrumb"
CRUMB_LENGTH_MAX = 40
NO_CHART = b'{"chart":{"result":null,"error":{"code":"Not Found"}}}'


class YahooSource:
    """Quotes of `SYMBOL.BO`."""

    name = "yahoo"

    def __init__(self, session: aiohttp.ClientSession, settings: YahooSettings):
        """`session` keeps the cookie."""
        self.symbols_max = settings.symbols_max
        headers = {"User-Agent": settings.user_agent, "Accept": "*/*"}
        limits = settings.timeout_s, settings.answer_bytes_max
        self._api = HttpDoor(session, settings.base_url, headers, *limits)
        self._cookies = HttpDoor(session, settings.cookie_url, headers, *limits)
        self._crumb = ""

    async def ask(self, wanted: Sequence[Instrument]) -> bytes:
        """The quotes as Yahoo sent them. Raises ExchangeError."""
        symbols = ",".join(symbol_of(each) for each in wanted)
        known = bool(self._crumb)
        try:
            return await self._quotes(symbols)
        except Unauthorized:
            self._crumb = ""
            if not known:
                raise
        return await self._quotes(symbols)

    def read(self, body: bytes, wanted: Sequence[Instrument]) -> Answer:
        """What Yahoo says of them. Raises ExchangeError."""
        return read_quotes(body, {symbol_of(each): each.code for each in wanted})

    async def ask_minutes(self, wanted: Instrument) -> bytes:
        """The minutes of a scrip's day as Yahoo sent them. Raises ExchangeError."""
        path = CHART_PATH + quote(symbol_of(wanted), safe="")
        try:
            return await self._api.get(path, {"interval": "1m", "range": "1d"})
        except ExchangeUnavailable as error:
            if error.kind == "not_found":  # of the scrip, not of the source
                return NO_CHART
            raise

    def read_minutes(self, body: bytes, wanted: Instrument) -> list[Candle]:
        """What Yahoo says of them. Raises ExchangeError."""
        return read_chart(body, symbol_of(wanted))

    async def _quotes(self, symbols: str) -> bytes:
        if not self._crumb:
            self._crumb = await self._new_crumb()
        query = {"symbols": symbols, "crumb": self._crumb}
        return await self._api.get(QUOTE_PATH, query)

    async def _new_crumb(self) -> str:
        try:
            await self._cookies.get("/", {})
        except ExchangeUnavailable as error:
            if error.kind != "not_found":  # the page is none, the cookie comes with it
                raise
        crumb = (await self._api.get(CRUMB_PATH, {})).decode("ascii", "replace")
        if not crumb.strip() or len(crumb) > CRUMB_LENGTH_MAX or "<" in crumb:
            raise MalformedAnswer("shape", "no crumb")
        return crumb.strip()


def symbol_of(instrument: Instrument) -> str:
    """Yahoo's name of a scrip of BSE."""
    return f"{instrument.symbol}.BO"


SOURCE = Entry(
    make=lambda session, settings: YahooSource(session, settings.yahoo),
    budget=lambda settings: Budget(settings.yahoo.requests_per_s, settings.yahoo.burst),
    number=Source.YAHOO,
)
