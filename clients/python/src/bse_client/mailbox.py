"""What waits for a slow reader: one entry per scrip and kind, newest wins. Bounded by construction.

Pure. A change is kept as the names of the changed fields only; the quote is made when it is taken out,
so it is never older than that moment.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bse_client.events import (
    Connected,
    Disconnected,
    Event,
    Gap,
    QualityChanged,
    QuoteChanged,
    SubscriptionChanged,
)
from bse_client.fields import Quality
from bse_client.messages import Heartbeat, HubError
from bse_client.quote import Quote


Plain = Gap | Heartbeat | SubscriptionChanged | Connected | Disconnected | HubError
QuoteOf = Callable[[int], Quote | None]


@dataclass(slots=True)
class _Change:
    code: int
    fields: frozenset[str]
    is_image: bool
    conflated: int = 0


@dataclass(slots=True)
class _Quality:
    code: int
    before: Quality


def _key(event: Plain) -> tuple[str, int]:
    if isinstance(event, Gap):
        return "gap", event.code
    if isinstance(event, Connected | Disconnected):
        return "connection", 0
    return type(event).__name__, 0


class Mailbox:
    """The events not yet read, oldest first. `conflated` counts those merged into others."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, int], _Change | _Quality | Plain] = (
            OrderedDict()
        )
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def change(self, code: int, fields: frozenset[str], *, is_image: bool) -> None:
        """A quote changed; a waiting change of it keeps its place and grows."""
        waiting = self._waiting.get(("change", code))
        if isinstance(waiting, _Change):
            waiting.fields |= fields
            waiting.is_image |= is_image
            waiting.conflated += 1
            self.conflated += 1
        else:
            self._waiting["change", code] = _Change(code, fields, is_image)

    def quality(self, code: int, before: Quality) -> None:
        """A shown quality changed; the oldest `before` stays."""
        if ("quality", code) in self._waiting:
            self.conflated += 1
        else:
            self._waiting["quality", code] = _Quality(code, before)

    def post(self, event: Plain) -> None:
        """Any other event: the newest of its kind, in the newest place."""
        key = _key(event)
        self.conflated += key in self._waiting
        self._waiting[key] = event
        self._waiting.move_to_end(key)

    def forget(self, code: int) -> None:
        """A scrip left the set."""
        for kind in ("change", "quality", "gap"):
            self._waiting.pop((kind, code), None)

    def take(self, quote_of: QuoteOf) -> Event | None:
        """The oldest event that still says something; None if there is none."""
        while self._waiting:
            _, entry = self._waiting.popitem(last=False)
            if event := _event(entry, quote_of):
                return event
        return None


def _event(entry: _Change | _Quality | Plain, quote_of: QuoteOf) -> Event | None:
    if not isinstance(entry, _Change | _Quality):
        return entry
    quote = quote_of(entry.code)
    if quote is None:
        return None
    if isinstance(entry, _Change):
        return QuoteChanged(quote, entry.fields, entry.conflated, entry.is_image)
    if quote.quality is entry.before:
        return None
    return QualityChanged(quote, entry.before, quote.quality)
