"""The body and the tag of every answer with quotes, for both ways that requests come in (`quotes`, `lean_door`)."""

from collections.abc import Sequence
from typing import NamedTuple

from bse_gateway.identifiers import Miss, Reason
from bse_gateway.lookup import Judged, Lookup, Moment, Named, QuoteView, Trust
from bse_gateway.rest.conditional import digest_tag, quote_tag
from bse_gateway.rest.negotiation import MSGPACK
from bse_gateway.rest.quote_json import (
    SettledQuotes,
    batch_json,
    chosen_json,
    place_of,
    trust_json,
)
from bse_gateway.rest.quote_msgpack import batch_msgpack, quote_msgpack
from bse_gateway.rest.shapes import JSON_SHAPES, Shape
from bse_shared.quotes.instrument import Instrument


CACHING = "private, no-cache"
"""Keep it if you like, but ask each time whether it still holds; no shared cache learns whose budget paid."""
VARY = "Accept"
"""What is large enough to be compressed varies by Accept-Encoding too."""


class Answer(NamedTuple):
    """Bytes to send, their tag, what was found and what was not."""

    body: bytes
    media_type: str
    tag: str
    found: int
    misses: Sequence[Miss]


class QuoteAnswers:
    """Writes answers out of the table; remembers what it wrote of each scrip until that changes."""

    def __init__(self, lookup: Lookup):
        self._lookup = lookup
        # Only what is asked again and again is kept: modes, and no choice of members.
        self._settled = {
            shape.label: SettledQuotes(shape.names) for shape in JSON_SHAPES
        }
        self._moment: Moment | None = None
        self._written: dict[Trust, bytes] = {}

    @property
    def ready(self) -> bool:
        """Whether there is a market to answer from."""
        return self._lookup.ready

    def one(self, identifier: str, shape: Shape) -> Answer | Miss:
        """One scrip's quote. Raises NotReady."""
        moment = self._lookup.moment()
        view = self._lookup.quote(identifier, moment)
        if isinstance(view, Miss):
            return view
        kept = self._settled.get(shape.label)
        if kept is not None:
            settled = kept.of(view)
            place = settled.place
            tails = self._tails(moment)
            tail = tails.get(view.trust)
            if tail is None:
                tail = tails[view.trust] = trust_json(view.trust)
            body = settled.text + tail
        else:
            place = place_of(view.image)
            body = (
                quote_msgpack(view, shape.names)
                if shape.media_type == MSGPACK
                else chosen_json(view, shape.names or ())
            )
        version = self._lookup.master_version
        tag = quote_tag(place, view.trust.quality, version, shape.label)
        return Answer(body, shape.media_type, tag, 1, ())

    def scrip(self, identifier: str) -> Instrument | Miss:
        """The scrip that is meant."""
        return self._lookup.scrip(identifier)

    def named(self, symbols: str) -> Named:
        """What a comma-separated list of identifiers means."""
        return self._lookup.named(symbols)

    def many(self, named: Named, shape: Shape) -> Answer:
        """Quotes of several scrips at one instant, each once; what has none is in `misses`. Raises NotReady."""
        moment = self._lookup.moment()
        judged, misses = self._lookup.quotes(named, moment)
        kept = self._settled.get(shape.label)
        if kept is not None:
            quotes, places = kept.batch(judged, self._tails(moment))
            body = batch_json(quotes, misses, moment.now_ms)
        else:
            views = [QuoteView._make(each) for each in judged]
            places = [place_of(view.image) for view in views]
            body = _chosen(views, misses, moment.now_ms, shape)
        version = self._lookup.master_version
        tag = digest_tag(
            places,
            _qualities(judged),
            (f"{miss.reason}:{miss.symbol}" for miss in misses),
            (str(version), shape.label),
        )
        return Answer(body, shape.media_type, tag, len(judged), misses)

    def missing(self, answer: Answer) -> list[int]:
        """The scrips of an answer that are known, but have no quote yet."""
        absent = (m.symbol for m in answer.misses if m.reason is Reason.NO_QUOTE)
        scrips = map(self._lookup.scrip, absent)
        return [each.code for each in scrips if not isinstance(each, Miss)]

    def _tails(self, moment: Moment) -> dict[Trust, bytes]:
        """What depends on the moment, written once for all quotes that were confirmed together."""
        if self._moment is not moment:
            self._moment, self._written = moment, {}
        return self._written


def _chosen(
    views: Sequence[QuoteView], misses: Sequence[Miss], now_ms: int, shape: Shape
) -> bytes:
    """A batch in a shape that nothing is kept of."""
    if shape.media_type == MSGPACK:
        return batch_msgpack(views, misses, now_ms, shape.names)
    chosen = (chosen_json(view, shape.names or ()) for view in views)
    return batch_json(b",".join(chosen), misses, now_ms)


def _qualities(judged: Sequence[Judged]) -> list[str]:
    """The quality of each quote, or the one that all share: trusts are few, quotes may be many."""
    found = {trust.quality for trust in {each[2] for each in judged}}
    return list(found) if len(found) == 1 else [trust.quality for _, _, trust in judged]
