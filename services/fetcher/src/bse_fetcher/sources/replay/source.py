"""Plays a recorded day: a list source whose market is what was recorded up to now, `speed` times as fast.

Each question moves the recording on by `interval_s * speed`, so that the same questions always get the same answers,
whatever the clock does. At its end it goes on telling the last state. Quotes carry the source REPLAY.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.entry import Entry as SourceEntry
from bse_fetcher.sources.errors import ExchangeUnavailable
from bse_shared.quotes.instrument import Instrument
from bse_shared.quotes.quote import NUMBER, Source, Value
from bse_shared.redis_edge.source_budgets import Budget
from bse_shared.wire.bus import MalformedMessage, unpack_frame, unpack_image
from bse_shared.wire.instruments import unpack_instruments
from bse_shared.wire.recording import Entry, EntryKind, entries_of


_SOURCE = NUMBER["source"]
_REPLAY = int(Source.REPLAY)


class ReplaySource:
    """One recording."""

    name = "replay"

    def __init__(self, path: str, interval_s: float, speed: float):
        self.ended = False
        self._path = Path(path)
        self._step_ms = interval_s * 1000 * speed
        self._entries: Iterator[Entry] | None = None
        self._next: Entry | None = None
        self._at_ms: float | None = None
        self._seen: dict[int, dict[int, Value]] = {}
        self._instruments: dict[int, Instrument] = {}
        self._told: dict[int, Instrument] = {}

    async def ask_market(self) -> "ReplaySource":
        """Move the recording on. Raises ExchangeUnavailable where it can't be read."""
        try:
            # At a high speed hours are read in one go: the leases must be held meanwhile.
            await asyncio.to_thread(self._move_on)
        except (OSError, MalformedMessage) as error:
            self._entries = None
            raise ExchangeUnavailable("recording", str(error)) from error
        return self

    def read(self) -> Answer:
        """The market as it was then."""
        news = {
            code: each
            for code, each in self._instruments.items()
            if code in self._seen and self._told.get(code) != each
        }
        self._told.update(news)
        return Answer(seen=dict(self._seen), instruments=news)

    def forget(self) -> None:
        """Tell all names anew with the next answer."""
        self._told = {}

    def _move_on(self) -> None:
        if self._entries is None:
            self._entries = _entries(self._path)
            self._next = next(self._entries, None)
        until_ms = None if self._at_ms is None else self._at_ms + self._step_ms
        while self._next is not None:
            entry = self._next
            if entry.kind == EntryKind.FRAME:
                frame = unpack_frame(entry.data)
                if until_ms is None:
                    until_ms = float(frame.received_at_ms)
                if frame.received_at_ms > until_ms:
                    break
                for code, _, delta in frame.changes:
                    held = self._seen.get(code, {})
                    self._seen[code] = {**held, **delta, _SOURCE: _REPLAY}
            elif entry.kind == EntryKind.IMAGE:
                code, image = unpack_image(entry.data)
                known = {n: v for n, v in enumerate(image.quote) if v is not None}
                self._seen[code] = {**known, _SOURCE: _REPLAY}
            elif entry.kind == EntryKind.INSTRUMENTS:
                rows = unpack_instruments(entry.data)
                self._instruments.update((each.code, each) for each in rows)
            self._next = next(self._entries, None)
        self._at_ms = until_ms
        self.ended = self._next is None


def _entries(path: Path) -> Iterator[Entry]:
    with path.open("rb") as file:
        yield from entries_of(file)


SOURCE = SourceEntry(
    make=lambda _, settings: ReplaySource(
        settings.replay.file, settings.poll.interval_s, settings.replay.speed
    ),
    budget=lambda _: Budget(1000, 1000),  # a file is asked as often as one likes
    number=Source.REPLAY,
    lists_market=True,
)
