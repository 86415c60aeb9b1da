"""BSE asked for one scrip at a time, on the web session of the whole market: for what the market list does not tell.

`BseHeaderSource` tells a price at once, to the minute; `BseDetailSource` tells the 52-week range, the average and the
lower limit once a day, and the book each other time. One call, one request.
"""

from collections.abc import Callable, Sequence

from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.bse.scrip import (
    read_depth,
    read_header,
    read_range,
    read_trading,
)
from bse_shared.quotes.instrument import Instrument


WEB = "/BseIndiaAPI/api/"
REAL_TIME = "/RealTimeBseIndiaAPI/api/"
DAY_MS = 86_400_000


class BseHeaderSource:
    """The quote header of one scrip."""

    name = "bse"
    symbols_max = 1

    def __init__(self, bse: BseSource):
        self._bse = bse

    async def ask(self, wanted: Sequence[Instrument]) -> bytes:
        """The header as BSE sent it. Raises ExchangeError."""
        query = {"Debtflag": "", "scripcode": str(wanted[0].code), "seriesid": ""}
        return await self._bse.get(f"{WEB}getScripHeaderData/w", query)

    def read(self, body: bytes, wanted: Sequence[Instrument]) -> Answer:
        """The price of the scrip. Raises MalformedAnswer."""
        return read_header(body, wanted[0].code)


class BseDetailSource:
    """What is known of one scrip beside its price."""

    name = "bse"
    symbols_max = 1

    def __init__(self, bse: BseSource, wall_ms: Callable[[], int]):
        self._bse = bse
        self._wall_ms = wall_ms
        self._done: dict[tuple[int, str], int] = {}
        self._read: Callable[[bytes, int], Answer] = read_depth

    async def ask(self, wanted: Sequence[Instrument]) -> bytes:
        """The next answer that is due for the scrip. Raises ExchangeError."""
        code, day = wanted[0].code, self._wall_ms() // DAY_MS
        query = {"quotetype": "EQ", "flag": "", "scripcode": str(code)}
        if self._done.get((code, "range")) != day:
            self._read = read_range
            query = {"Type": "EQ", "flag": "C", "scripcode": str(code)}
            body = await self._bse.get(f"{WEB}HighLow/w", query)
            self._done[code, "range"] = day
        elif self._done.get((code, "trading")) != day:
            self._read = read_trading
            body = await self._bse.get(f"{WEB}StockTrading/w", query)
            self._done[code, "trading"] = day
        else:
            self._read = read_depth
            body = await self._bse.get(f"{REAL_TIME}MarketDepth/w", query)
        return body

    def read(self, body: bytes, wanted: Sequence[Instrument]) -> Answer:
        """What the answer tells. Raises MalformedAnswer."""
        return self._read(body, wanted[0].code)
