"""What a source is: something that can be asked for quotes, and whose answers can be read.

Asking is I/O, reading is pure. A list source tells the whole market in one call, a batch source tells what it is
asked for, a minute source tells the minutes of one scrip's day. All raise ExchangeError and nothing else.
"""

from collections.abc import Sequence
from typing import Protocol

from bse_fetcher.sources.answer import Answer
from bse_shared.quotes.candles import Candle
from bse_shared.quotes.instrument import Instrument


class Unread(Protocol):
    """An answer that is all there."""

    def read(self) -> Answer:
        """What it says; rows as in the last answer may be the very same objects."""
        ...


class ListSource(Protocol):
    """Tells the whole market in one call."""

    name: str

    async def ask_market(self) -> Unread:
        """The answer, once its last byte has come. What came before may have been read by then."""
        ...

    def forget(self) -> None:
        """Read the next answer as if it were the first."""
        ...


class BatchSource(Protocol):
    """Tells what it is asked for, at most `symbols_max` scrips a call."""

    name: str
    symbols_max: int

    async def ask(self, wanted: Sequence[Instrument]) -> bytes:
        """The answer as the source sent it."""
        ...

    def read(self, body: bytes, wanted: Sequence[Instrument]) -> Answer:
        """What it says of the scrips that were asked for; what it says of others is left out."""
        ...


class MinuteSource(Protocol):
    """Tells the minutes of a scrip's day, so that gaps can be filled."""

    name: str

    async def ask_minutes(self, wanted: Instrument) -> bytes:
        """The answer as the source sent it."""
        ...

    def read_minutes(self, body: bytes, wanted: Instrument) -> list[Candle]:
        """The minutes by time, flagged FILLED."""
        ...
