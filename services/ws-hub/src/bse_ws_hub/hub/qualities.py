"""How far each price may be trusted, as the watchers were last told."""

from collections.abc import Iterable

from bse_shared.quotes.quality import Quality, quality_of
from bse_shared.quotes.quote_table import QuoteTable
from bse_ws_hub.hub.now import Now


class Qualities:
    """Of the watched scrips; of another one it is found when it is first asked for."""

    def __init__(self, table: QuoteTable):
        self._table = table
        self._told: dict[int, Quality] = {}

    def told(self, code: int, now: Now) -> Quality:
        """The quality that watchers were last told."""
        known = self._told.get(code)
        if known is None:
            known = self._told[code] = self._at(code, now)
        return known

    def changed(self, watched: Iterable[int], now: Now) -> set[int]:
        """The scrips of which it must be told now, and counts as told. Those that nobody watches are forgotten."""
        told = self._told
        found = {code: self._at(code, now) for code in watched}
        self._told = found
        return {
            code
            for code, quality in found.items()
            if told.get(code, quality) is not quality
        }

    def _at(self, code: int, now: Now) -> Quality:
        image = self._table.get(code)
        confirmed_ms = self._table.confirmed_at_ms(code)
        return quality_of(
            image.quote.condition if image else None,
            now.ms - confirmed_ms if confirmed_ms else None,
            market_open=now.market_open,
        )
