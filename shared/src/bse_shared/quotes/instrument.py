"""Who a scrip is. Identity is the scrip code; symbol, ISIN and name are attributes that may change."""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Instrument(NamedTuple):
    """One scrip of the master. `isin` is empty where the source has not told it.

    `indices` are the names of the indices it is in, upper case, without the "S&P " and "BSE " that the
    exchange puts before them, separated by "|" (so that the master stays flat).
    """

    code: int
    symbol: str
    isin: str = ""
    name: str = ""
    group: str = ""
    indices: str = ""


_IDENTIFIER = re.compile(r"[A-Z0-9&*._\-$]{1,40}")


class InstrumentMaster:
    """All scrips, found by code, symbol or ISIN in any case. Immutable: a new list makes a new master."""

    def __init__(self, instruments: Iterable[Instrument] = (), version: int = 0):
        self.version = version
        self.by_code: dict[int, Instrument] = {i.code: i for i in instruments}
        self._code_of: dict[str, int] = {}
        for instrument in self.by_code.values():
            self._code_of.setdefault(instrument.symbol.upper(), instrument.code)
            if instrument.isin:
                self._code_of.setdefault(instrument.isin.upper(), instrument.code)

    def __len__(self) -> int:
        return len(self.by_code)

    def find(self, identifier: str) -> Instrument | None:
        """The scrip that a person means: a scrip code, a symbol or an ISIN. None if there is none.

        A code wins over a symbol: a symbol of digits can't hide a scrip.
        """
        text = identifier.strip().upper()
        if not _IDENTIFIER.fullmatch(text):
            return None
        if text.isascii() and text.isdigit() and (found := self.by_code.get(int(text))):
            return found
        code = self._code_of.get(text)
        return None if code is None else self.by_code[code]

    def select(self, selector: str) -> list[Instrument]:
        """The scrips that `*`, `index:NAME`, `group:NAME` or an identifier names; none where it names nothing."""
        kind, colon, name = selector.strip().upper().partition(":")
        if kind == "*" and not colon:
            return list(self.by_code.values())
        if kind == "INDEX" and colon:
            wanted = index_name(name)
            return [i for i in self.by_code.values() if wanted in i.indices.split("|")]
        if kind == "GROUP" and colon:
            return [i for i in self.by_code.values() if i.group.upper() == name.strip()]
        found = self.find(selector)
        return [found] if found else []

    def symbol_of(self, code: int) -> str:
        """The symbol of a code; the code itself as text where the master does not know it."""
        known = self.by_code.get(code)
        return known.symbol if known else str(code)


def index_name(name: str) -> str:
    """An index's name as the master keeps it: `S&P BSE SENSEX` and `sensex` are SENSEX."""
    return name.strip().upper().removeprefix("S&P ").removeprefix("BSE ").strip()
