"""The instrument master as the fetcher keeps it: the daily list, and what the market's rows say in between."""

from collections.abc import Iterable, Mapping

from bse_shared.quotes.instrument import Instrument, InstrumentMaster


class KnownInstruments:
    """The current master. `saved` is False while the store has an older one.

    `loaded` is False until the store's master was read in this fetcher's active time: another fetcher may
    have written a newer one before.
    """

    def __init__(self) -> None:
        self.master = InstrumentMaster()
        self.saved = True
        self.loaded = False

    def load(self, master: InstrumentMaster) -> None:
        """Take the stored master, when this fetcher becomes active."""
        if master.version > self.master.version:
            self.master = master
            self.saved = True
        self.loaded = True

    def forget(self) -> None:
        """This fetcher is no longer the active one."""
        self.loaded = False

    def listed(self, instruments: Iterable[Instrument]) -> None:
        """Take the daily list. Scrips that it lacks stay: their quotes may still be asked for."""
        self._update({i.code: i for i in instruments})

    def traded(self, rows: Mapping[int, Instrument]) -> None:
        """Take what the market's rows say of names and groups; they never tell an ISIN."""
        known = self.master.by_code
        changed = {}
        for code, row in rows.items():
            held = known.get(code)
            if held is None:
                changed[code] = row
            elif held.symbol != row.symbol or (row.group and held.group != row.group):
                changed[code] = held._replace(
                    symbol=row.symbol, group=row.group or held.group
                )
        if changed:
            self._update(changed)

    def _update(self, changed: Mapping[int, Instrument]) -> None:
        by_code = {**self.master.by_code, **changed}
        if by_code != self.master.by_code:
            self.master = InstrumentMaster(by_code.values(), self.master.version + 1)
            self.saved = False
