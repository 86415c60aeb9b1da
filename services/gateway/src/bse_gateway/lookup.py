"""From what a person typed to a quote and how far it may be trusted, out of the in-memory table alone.

Nothing here asks Redis: a hit and a miss cost the same, and both are answered while Redis is away.
"""

from enum import StrEnum
from typing import NamedTuple, Protocol

from bse_shared.quotes.frame import Image
from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.quality import Quality, quality_of
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.wire.feed_view import market_is_open
from bse_shared.wire.records import FeedStatus


IDENTIFIER_LENGTH_MAX = 40
ECHO_LENGTH_MAX = 64
"""So much of a wrong identifier is told back."""


class Market(Protocol):
    """What the gateway reads of a follower."""

    @property
    def table(self) -> QuoteTable: ...
    @property
    def instruments(self) -> InstrumentMaster: ...
    @property
    def feed(self) -> FeedStatus | None: ...
    @property
    def ready(self) -> bool: ...
    @property
    def connected(self) -> bool: ...
    def now_ms(self) -> int: ...


class NotReady(Exception):
    """The market was not read from the store yet: nothing can be said of any scrip."""


class Reason(StrEnum):
    """Why there is no quote for an identifier."""

    INVALID_SYMBOL = "invalid_symbol"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NO_QUOTE = "no_quote"


_SENTENCES = {
    Reason.INVALID_SYMBOL: f"Not a symbol, scrip code or ISIN: 1 to {IDENTIFIER_LENGTH_MAX}"
    " printable ASCII characters are.",
    Reason.UNKNOWN_SYMBOL: "No scrip has this symbol, scrip code or ISIN.",
    Reason.NO_QUOTE: "The scrip is known, but no quote of it has arrived yet.",
}


class Miss(NamedTuple):
    """An identifier without a quote, as it was sent (cut where long), and why."""

    symbol: str
    reason: Reason

    @property
    def message(self) -> str:
        """The reason as a sentence."""
        return _SENTENCES[self.reason]


class Moment(NamedTuple):
    """The instant that all quotes of one answer are judged at."""

    now_ms: int
    market_open: bool


class QuoteView(NamedTuple):
    """A scrip's quote and how far it may be trusted now. Times and ages are None for never confirmed."""

    instrument: Instrument
    image: Image
    quality: Quality
    confirmed_at_ms: int | None
    age_ms: int | None


class Lookup:
    """Answers from a market that somebody else keeps true."""

    def __init__(self, market: Market):
        self._market = market

    def moment(self) -> Moment:
        """Now, on the store's clock. Raises NotReady before the market was first read."""
        if not self._market.ready:
            raise NotReady
        now_ms = self._market.now_ms()
        return Moment(now_ms, market_is_open(self._market.feed, now_ms))

    @property
    def master_version(self) -> int:
        """Which instrument master names come from."""
        return self._market.instruments.version

    def symbol_of(self, code: int) -> str:
        """The symbol of a code; the code as text where it is not known any more."""
        return self._market.instruments.symbol_of(code)

    def scrip(self, identifier: str) -> Instrument | Miss:
        """The scrip that is meant."""
        text = identifier.strip()
        if not (
            0 < len(text) <= IDENTIFIER_LENGTH_MAX
            and text.isascii()
            and text.isprintable()
        ):
            return Miss(_echo(identifier), Reason.INVALID_SYMBOL)
        found = self._market.instruments.find(text)
        return found or Miss(identifier, Reason.UNKNOWN_SYMBOL)

    def quote(self, identifier: str, moment: Moment) -> QuoteView | Miss:
        """The scrip's quote at this moment."""
        scrip = self.scrip(identifier)
        if isinstance(scrip, Miss):
            return scrip
        image = self._market.table.get(scrip.code)
        if image is None:
            return Miss(identifier, Reason.NO_QUOTE)
        confirmed_at_ms = self._market.table.confirmed_at_ms(scrip.code) or None
        age_ms = None if confirmed_at_ms is None else moment.now_ms - confirmed_at_ms
        return QuoteView(
            scrip,
            image,
            quality_of(image.quote.condition, age_ms, market_open=moment.market_open),
            confirmed_at_ms,
            # Our reading of the store's clock may trail by a few ms: nobody wants an age of -2.
            age_ms if age_ms is None else max(age_ms, 0),
        )


def distinct(symbols: str) -> list[str]:
    """The identifiers of a comma-separated list, each once whatever its case, blanks left out."""
    found: dict[str, str] = {}
    for piece in symbols.split(","):
        if text := piece.strip():
            found.setdefault(text.upper(), text)
    return list(found.values())


def _echo(identifier: str) -> str:
    """What of a malformed identifier is told back: cut, and without halves of characters (JSON can send these)."""
    return identifier[:ECHO_LENGTH_MAX].encode(errors="replace").decode()
