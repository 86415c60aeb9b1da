"""BSE asked for one scrip at a time, on the web session of the whole market: for what the market list does not tell.

`BseHeaderSource` tells a price at once, to the minute; `BseDetailSource` tells the 52-week range, the average and the
lower limit once a day, and the book each other time. One call, one request.
"""

from collections.abc import Callable, Mapping, Sequence

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

_RANGE, _TRADING, _DEPTH = b"R", b"T", b"D"
_READERS: Mapping[bytes, Callable[[bytes, int], Answer]] = {
    _RANGE: read_range,
    _TRADING: read_trading,
    _DEPTH: read_depth,
}
"""Answers may be under way at the same time: each carries what it is an answer to."""


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
        self._done: dict[tuple[int, bytes], int] = {}

    async def ask(self, wanted: Sequence[Instrument]) -> bytes:
        """The next answer that is due for the scrip, behind a byte that says which it is. Raises ExchangeError."""
        code, day = wanted[0].code, self._wall_ms() // DAY_MS
        query = {"quotetype": "EQ", "flag": "", "scripcode": str(code)}
        if self._done.get((code, _RANGE)) != day:
            kind = _RANGE
            range_query = {"Type": "EQ", "flag": "C", "scripcode": str(code)}
            body = await self._bse.get(f"{WEB}HighLow/w", range_query)
        elif self._done.get((code, _TRADING)) != day:
            kind = _TRADING
            body = await self._bse.get(f"{WEB}StockTrading/w", query)
        else:
            kind = _DEPTH
            body = await self._bse.get(f"{REAL_TIME}MarketDepth/w", query)
        self._done[code, kind] = day
        return kind + body

    def read(self, body: bytes, wanted: Sequence[Instrument]) -> Answer:
        """What the answer tells. Raises MalformedAnswer."""
        return _READERS[body[:1]](body[1:], wanted[0].code)
