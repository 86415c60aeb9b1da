"""The body and the tag of every answer with quotes, for both ways that requests come in (`quotes`, `lean_door`)."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from bse_gateway.lookup import Judged, Lookup, Miss, Moment, Named, QuoteView, Trust
from bse_gateway.rest.conditional import digest_tag, quote_tag
from bse_gateway.rest.negotiation import JSON, MSGPACK
from bse_gateway.rest.quote_json import (
    SettledQuotes,
    batch_json,
    chosen_json,
    trust_json,
)
from bse_gateway.rest.quote_msgpack import batch_msgpack, quote_msgpack
from bse_gateway.rest.replies import ALWAYS
from bse_shared.quotes.instrument import Instrument


CACHING = "private, no-cache"
"""Keep it if you like, but ask each time whether it still holds; no shared cache learns whose budget paid."""
VARY = "Accept"
"""What is large enough to be compressed varies by Accept-Encoding too."""


class Shape(NamedTuple):
    """How quotes are written: the media type, and which settled members (None: all). Tags carry the label."""

    media_type: str
    names: frozenset[str] | None
    label: str


WHOLE_JSON = Shape(JSON, None, "json")
WHOLE_MSGPACK = Shape(MSGPACK, None, "msgpack")


def shape_of(media_type: str, names: frozenset[str] | None) -> Shape:
    """The shape with these members and those that are always there."""
    whole = WHOLE_MSGPACK if media_type == MSGPACK else WHOLE_JSON
    if names is None:
        return whole
    text = ",".join(sorted(names))
    digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
    return Shape(media_type, names | ALWAYS, f"{whole.label}.{digest}")


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
        self._settled = SettledQuotes()
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
        settled = self._settled.of(view)
        tag = quote_tag(
            settled.place,
            view.trust.quality,
            self._lookup.master_version,
            shape.label,
        )
        if shape is WHOLE_JSON:
            tails = self._tails(moment)
            tail = tails.get(view.trust)
            if tail is None:
                tail = tails[view.trust] = trust_json(view.trust)
            body = settled.text + tail
        elif shape.media_type == MSGPACK:
            body = quote_msgpack(view, shape.names)
        else:
            body = chosen_json(view, shape.names or ())
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
        quotes, places = self._settled.batch(judged, self._tails(moment))
        version = self._lookup.master_version
        tag = digest_tag(
            places,
            _qualities(judged),
            (f"{miss.reason}:{miss.symbol}" for miss in misses),
            (str(version), shape.label),
        )
        if shape.media_type == MSGPACK:
            views = map(QuoteView._make, judged)
            body = batch_msgpack(views, misses, moment.now_ms, shape.names)
        elif shape.names is not None:
            chosen = (chosen_json(QuoteView(*each), shape.names) for each in judged)
            body = batch_json(b",".join(chosen), misses, moment.now_ms)
        else:
            body = batch_json(quotes, misses, moment.now_ms)
        return Answer(body, shape.media_type, tag, len(judged), misses)

    def _tails(self, moment: Moment) -> dict[Trust, bytes]:
        """What depends on the moment, written once for all quotes that were confirmed together."""
        if self._moment is not moment:
            self._moment, self._written = moment, {}
        return self._written


def _qualities(judged: Sequence[Judged]) -> list[str]:
    """The quality of each quote, or the one that all share: trusts are few, quotes may be many."""
    found = {trust.quality for trust in {each[2] for each in judged}}
    return list(found) if len(found) == 1 else [trust.quality for _, _, trust in judged]
