"""Finding scrips by what a person types, and walking through all of them. Pure."""

from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from bse_shared.quotes.instrument import Instrument, InstrumentMaster


class _Entry(NamedTuple):
    """`text` holds whatever may match, so that most scrips are passed over by one look."""

    instrument: Instrument
    text: str
    symbol: str
    name: str
    words: list[str]


class InstrumentIndex:
    """One instrument master, ready to be searched. Made anew for each master."""

    def __init__(self, master: InstrumentMaster):
        self.master = master
        self.by_code = sorted(master.by_code.values())
        self._codes = [each.code for each in self.by_code]
        self._entries = [
            _Entry(
                each,
                f"{each.symbol} {each.name}".upper(),
                each.symbol.upper(),
                each.name.upper(),
                each.name.upper().split(),
            )
            for each in self.by_code
        ]

    def search(self, text: str, limit: int) -> list[Instrument]:
        """The best matches: the scrip itself, symbols that begin so, words of the name, anything within."""
        wanted = text.strip().upper()
        if not wanted:
            return []
        scored = []
        for entry in self._entries:
            if wanted not in entry.text:
                continue
            score = _score(entry, wanted)
            if score is not None:
                scored.append((score, entry.symbol, entry.instrument))
        exact = self.master.find(wanted)
        if exact is not None:
            scored.append((-1, "", exact))
        scored.sort(key=lambda each: each[:2])
        found = {each.code: each for _, _, each in scored}
        return list(found.values())[:limit]

    def page(
        self, selection: Iterable[Instrument] | None, after: int, limit: int
    ) -> tuple[list[Instrument], int | None]:
        """Scrips with codes above `after` in the order of codes, and after which to go on (None: no more)."""
        if selection is None:
            start = bisect_right(self._codes, after)
            rest = self.by_code[start : start + limit + 1]
        else:
            rest = sorted(each for each in selection if each.code > after)[: limit + 1]
        page = rest[:limit]
        return page, page[-1].code if len(rest) > limit else None

    @cached_property
    def indices(self) -> dict[str, int]:
        """The names of all indices with the number of their members."""
        counts: dict[str, int] = {}
        for each in self.by_code:
            for name in filter(None, each.indices.split("|")):
                counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items()))


def _score(entry: _Entry, wanted: str) -> int | None:
    """Lower is better; None: no match."""
    if entry.symbol.startswith(wanted):
        return 0
    if entry.name.startswith(wanted):
        return 1
    if any(word.startswith(wanted) for word in entry.words):
        return 2
    if wanted in entry.symbol or wanted in entry.name:
        return 3
    return None
