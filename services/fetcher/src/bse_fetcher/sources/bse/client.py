"""BSE's web API: its paths, and what each answers. BSE checks header *sets*: what is sent is configuration."""

import aiohttp

from bse_fetcher.source_settings import BseSettings
from bse_fetcher.sources.bse.intraday import read_minutes
from bse_fetcher.sources.bse.market_list import MarketReader, MarketReading
from bse_fetcher.sources.http import HttpDoor
from bse_shared.quotes.candles import Candle
from bse_shared.quotes.instrument import Instrument


MARKET_PATH = "/BseIndiaAPI/api/GetMktData/w"
MARKET_QUERY = {"ordcol": "TT", "strType": "AllMkt", "strfilter": "All"}
MASTER_PATH = "/BseIndiaAPI/api/ListofScripData/w"
MINUTES_PATH = "/BseIndiaAPI/api/StockReachGraph/w"
INDICES_PATH = "/RealTimeBseIndiaAPI/api/GetSensexData/w"
MASTER_QUERY = {
    "Group": "",
    "Scripcode": "",
    "industry": "",
    "segment": "Equity",
    "status": "Active",
}


class BseSource:
    """BSE, or a stand-in with another base URL: a list source, a minute source, and the instrument master."""

    name = "bse"

    def __init__(self, session: aiohttp.ClientSession, settings: BseSettings):
        self._door = HttpDoor(
            session,
            settings.base_url,
            settings.headers,
            settings.timeout_s,
            settings.answer_bytes_max,
        )
        self._reader = MarketReader()

    async def get(self, path: str, query: dict[str, str]) -> bytes:
        """Any other answer of BSE. Raises ExchangeError."""
        return await self._door.get(path, query)

    async def ask_market(self) -> MarketReading:
        """The whole market, read while it came. Raises ExchangeError."""
        reading = self._reader.reading()
        await self._door.hear(reading.take, MARKET_PATH, MARKET_QUERY)
        return reading

    def forget(self) -> None:
        """Tell all names anew with the next answer."""
        self._reader = MarketReader()

    async def ask_indices(self) -> bytes:
        """The values of the indices. Raises ExchangeError."""
        return await self._door.get(INDICES_PATH, {})

    async def ask_minutes(self, wanted: Instrument) -> bytes:
        """The minutes of a scrip's day. Raises ExchangeError."""
        query = {"scripcode": str(wanted.code), "flag": "1D", "fromdate": ""}
        return await self._door.get(
            MINUTES_PATH, {**query, "todate": "", "seriesid": ""}
        )

    def read_minutes(self, body: bytes, _: Instrument) -> list[Candle]:
        """What BSE says of them. Raises MalformedAnswer."""
        return read_minutes(body)

    async def ask_master(self) -> bytes:
        """The list of active scrips. Raises ExchangeError."""
        return await self._door.get(MASTER_PATH, MASTER_QUERY)
