"""What waits for a slow reader: one entry per scrip and kind, newest wins. Bounded by construction.

Pure. A change is kept as the names of the changed fields only; the quote is made when it is taken out,
so it is never older than that moment. Changes that must come one by one (`every`) wait as they are, up to
`rows_max`; beyond, those of one scrip are merged, and it is said before which ones.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bse_client.answers import HubError
from bse_client.events import (
    Connected,
    DigestMismatch,
    Disconnected,
    Event,
    Gap,
    QualityChanged,
    QuoteChanged,
    Restored,
    SubscriptionChanged,
)
from bse_client.fields import Quality
from bse_client.messages import Heartbeat, LostChanges, Notice
from bse_client.quote import Quote


ROWS_MAX = 10_000
"""How many changes of `every` wait at most, over all scrips, beside one merged change of each."""

Plain = (
    Gap
    | LostChanges
    | DigestMismatch
    | Heartbeat
    | Notice
    | SubscriptionChanged
    | Connected
    | Restored
    | Disconnected
    | HubError
)
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


@dataclass(slots=True)
class _Row:
    """One change of `every`, with the quote as it left it; it starts after `from_sequence`."""

    event: QuoteChanged
    from_sequence: int


_Key = tuple[str, int] | tuple[str, int, int]


def _key(event: Plain) -> _Key:
    if isinstance(event, Gap | LostChanges):
        return type(event).__name__, event.code
    if isinstance(event, Notice):
        return event.reason, 0
    if isinstance(event, Connected | Disconnected):
        return "connection", 0
    return type(event).__name__, 0


class Mailbox:
    """The events not yet read, oldest first. `conflated` counts those merged into others."""

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._waiting: OrderedDict[_Key, _Change | _Quality | _Row | Plain] = (
            OrderedDict()
        )
        self._rows: dict[int, dict[_Key, None]] = {}
        self._rows_max = rows_max
        self._rows_waiting = 0
        self._number = 0
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

    def row(self, event: QuoteChanged, from_sequence: int) -> None:
        """A change that must come by itself; merged only where too many wait already."""
        code = event.quote.code
        if ("change", code) in self._waiting:
            self._lose(event, from_sequence)
            self.change(code, event.changed_fields, is_image=event.is_image)
            self._waiting.move_to_end(("change", code))
            return
        if self._rows_waiting >= self._rows_max:
            self._merge_rows(event, from_sequence)
            return
        self._number += 1
        key = ("row", code, self._number)
        self._waiting[key] = _Row(event, from_sequence)
        self._rows.setdefault(code, {})[key] = None
        self._rows_waiting += 1

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
        for kind in ("change", "quality", "Gap", "LostChanges"):
            self._waiting.pop((kind, code), None)
        self._take_rows(code)

    def take(self, quote_of: QuoteOf) -> Event | None:
        """The oldest event that still says something; None if there is none."""
        while self._waiting:
            key, entry = self._waiting.popitem(last=False)
            if isinstance(entry, _Row):
                self._forget_row(entry.event.quote.code, key)
                return entry.event
            if event := _event(entry, quote_of):
                return event
        return None

    def _merge_rows(self, event: QuoteChanged, from_sequence: int) -> None:
        code = event.quote.code
        rows = self._take_rows(code)
        first = rows[0].from_sequence if rows else from_sequence
        self._lose(event, first)
        for row in rows:
            self.change(code, row.event.changed_fields, is_image=row.event.is_image)
        self.change(code, event.changed_fields, is_image=event.is_image)

    def _lose(self, event: QuoteChanged, from_sequence: int) -> None:
        quote = event.quote
        waiting = self._waiting.get(("LostChanges", quote.code))
        if isinstance(waiting, LostChanges):
            from_sequence = min(from_sequence, waiting.from_sequence)
        lost = LostChanges(quote.symbol, quote.code, from_sequence, quote.sequence)
        self._waiting["LostChanges", quote.code] = lost

    def _take_rows(self, code: int) -> list[_Row]:
        keys = self._rows.pop(code, {})
        self._rows_waiting -= len(keys)
        found = [self._waiting.pop(key) for key in keys]
        return [row for row in found if isinstance(row, _Row)]

    def _forget_row(self, code: int, key: _Key) -> None:
        keys = self._rows[code]
        del keys[key]
        self._rows_waiting -= 1
        if not keys:
            del self._rows[code]


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
