"""From what a person typed to a quote and how far it may be trusted, out of the in-memory table alone.

Nothing here asks Redis: a hit and a miss cost the same, and both are answered while Redis is away.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bse_gateway.identifiers import (
    IDENTIFIER_LENGTH_MAX,
    Miss,
    Reason,
    distinct,
    echo,
    is_identifier,
)
from bse_gateway.instrument_search import InstrumentIndex
from bse_shared.quotes.frame import Image
from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.quotes.quality import Quality, quality_of
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.wire.feed_view import market_is_open
from bse_shared.wire.records import FeedStatus


FOUND_MAX = 50_000
"""So many identifiers are remembered with their scrips: a few ways to write each."""

LISTS_MAX = 200
LIST_LENGTH_MAX = 4096
"""So many lists of identifiers, none longer, are remembered with their scrips: programs ask for the same again."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """How far a price may be trusted at one moment. Times and ages are None for never confirmed.

    Quotes of one answer that were confirmed together share it: what is written of it is written once (it is
    a key by identity).
    """

    quality: Quality
    confirmed_at_ms: int | None
    age_ms: int | None


class Moment(NamedTuple):
    """The instant that all quotes of one answer are judged at, with the judgements made so far."""

    now_ms: int
    market_open: bool
    trusts: dict[tuple[int | None, int], Trust]
    """By condition and time of the confirmation."""


class QuoteView(NamedTuple):
    """A scrip's quote and how far it may be trusted now."""

    instrument: Instrument
    image: Image
    trust: Trust


Named = list[tuple[str, Instrument | Miss]]
"""Identifiers as they were sent, and what each means."""


Judged = tuple[Instrument, Image, Trust]
"""The members of a QuoteView: a named tuple for each of five hundred costs more than all else about them."""


class Lookup:
    """Answers from a market that somebody else keeps true."""

    def __init__(self, market: Market):
        self._market = market
        self._master = market.instruments
        self._found: dict[str, Instrument] = {}
        self._lists: dict[str, Named] = {}
        self._index = InstrumentIndex(self._master)
        self._moment = Moment(-1, True, {})

    def moment(self) -> Moment:
        """Now, on the store's clock. Raises NotReady before the market was first read."""
        market = self._market
        if not market.ready:
            raise NotReady
        now_ms = market.now_ms()
        is_open = market_is_open(market.feed, now_ms)
        held = self._moment
        if held.now_ms != now_ms or held.market_open is not is_open:
            # Requests within a millisecond share their judgements.
            held = self._moment = Moment(now_ms, is_open, {})
        return held

    @property
    def ready(self) -> bool:
        """Whether the market was read."""
        return self._market.ready

    @property
    def master_version(self) -> int:
        """Which instrument master names come from."""
        return self._market.instruments.version

    def symbol_of(self, code: int) -> str:
        """The symbol of a code; the code as text where it is not known any more."""
        return self._market.instruments.symbol_of(code)

    @property
    def index(self) -> InstrumentIndex:
        """The instrument master, ready to be searched."""
        if self._index.master is not self._market.instruments:
            self._index = InstrumentIndex(self._market.instruments)
        return self._index

    def scrip(self, identifier: str) -> Instrument | Miss:
        """The scrip that is meant."""
        if self._market.instruments is not self._master:
            self._forget()
        return self._found.get(identifier) or self._find(identifier)

    def named(self, symbols: str) -> Named:
        """What a comma-separated list names: each identifier once whatever its case, each scrip once."""
        if self._market.instruments is not self._master:
            self._forget()
        named = self._lists.get(symbols)
        if named is None:
            named = self._resolve(symbols)
            if len(symbols) <= LIST_LENGTH_MAX:
                if len(self._lists) >= LISTS_MAX:
                    del self._lists[next(iter(self._lists))]
                self._lists[symbols] = named
        return named

    def quotes(self, named: Named, moment: Moment) -> tuple[list[Judged], list[Miss]]:
        """Their quotes at this moment, and what has none."""
        views: list[Judged] = []
        misses: list[Miss] = []
        # Five hundred at once: everything that can be is looked up before the loop.
        table, trusts = self._market.table, moment.trusts
        get, shards = table.images.get, table.shards
        confirmed = [table.confirmed(shard) for shard in range(shards)]
        common = [(each.all_at_ms, each.apart) for each in confirmed]
        for identifier, scrip in named:
            if scrip.__class__ is Miss:  # quicker than isinstance
                misses.append(scrip)
                continue
            code = scrip.code  # type: ignore[union-attr]
            image = get(code)
            if image is None:
                misses.append(Miss(identifier, Reason.NO_QUOTE))
                continue
            at_ms, apart = common[code % shards]  # shard_of, without the call
            if apart:
                at_ms = apart.get(code, at_ms)
            key = (image.quote.condition, at_ms)
            trust = trusts.get(key) or _judged(*key, moment)
            views.append((scrip, image, trust))  # type: ignore[arg-type]
        return views, misses

    def quote(self, identifier: str, moment: Moment) -> QuoteView | Miss:
        """The scrip's quote at this moment."""
        scrip = self.scrip(identifier)
        if isinstance(scrip, Miss):
            return scrip
        image = self._market.table.get(scrip.code)
        if image is None:
            return Miss(identifier, Reason.NO_QUOTE)
        key = image.quote.condition, self._market.table.confirmed_at_ms(scrip.code)
        return QuoteView(scrip, image, moment.trusts.get(key) or _judged(*key, moment))

    def _forget(self) -> None:
        self._master = self._market.instruments
        self._found, self._lists = {}, {}

    def _resolve(self, symbols: str) -> Named:
        named: dict[str | int, tuple[str, Instrument | Miss]] = {}
        for identifier in distinct(symbols):
            scrip = self.scrip(identifier)
            key = identifier if isinstance(scrip, Miss) else scrip.code
            named.setdefault(key, (identifier, scrip))
        return list(named.values())

    def _find(self, identifier: str) -> Instrument | Miss:
        text = identifier.strip()
        if not is_identifier(text):
            return Miss(echo(identifier), Reason.INVALID_SYMBOL)
        found = self._master.find(text)
        if found is None:
            return Miss(identifier, Reason.UNKNOWN_SYMBOL)
        if len(self._found) < FOUND_MAX and len(identifier) <= IDENTIFIER_LENGTH_MAX:
            self._found[identifier] = found
        return found


def _judged(condition: int | None, confirmed_at_ms: int, moment: Moment) -> Trust:
    """How far prices in this condition, confirmed then (0: never), may be trusted at the moment."""
    age_ms = moment.now_ms - confirmed_at_ms if confirmed_at_ms else None
    trust = moment.trusts[condition, confirmed_at_ms] = Trust(
        quality_of(condition, age_ms, market_open=moment.market_open),
        confirmed_at_ms or None,
        # Our reading of the store's clock may trail by a few ms: nobody wants an age of -2.
        age_ms if age_ms is None else max(age_ms, 0),
    )
    return trust
