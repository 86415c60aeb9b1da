"""The instrument master as the fetcher keeps it: the daily list, and what the market's rows say in between."""

from collections.abc import Iterable, Mapping

from bse_shared.quotes.instrument import Instrument, InstrumentMaster


class KnownInstruments:
    """The current master, which version of it the store has, and in which active time that was read.

    Another fetcher may have written a newer master before this one became active.
    """

    def __init__(self) -> None:
        self.master = InstrumentMaster()
        self.saved_version = 0
        self.loaded_in = 0

    @property
    def saved(self) -> bool:
        """Whether the store has this master."""
        return self.saved_version == self.master.version

    def load(self, stored: InstrumentMaster, activation: int) -> None:
        """Take the stored master, when this fetcher becomes active; keep ours where the store lost it."""
        if stored.version >= self.master.version:
            self.master = stored
        self.saved_version = stored.version
        self.loaded_in = activation

    def listed(self, instruments: Iterable[Instrument]) -> None:
        """Take the daily list. Scrips that it lacks stay: their quotes may still be asked for.

        The list does not tell the indices; the market's rows do.
        """
        known = self.master.by_code
        self._update(
            {
                i.code: i._replace(indices=known[i.code].indices)
                if i.code in known
                else i
                for i in instruments
            }
        )

    def traded(self, rows: Mapping[int, Instrument]) -> None:
        """Take what the market's rows say of names and groups; they never tell an ISIN.

        What a row leaves out stays as it is known: an unnamed scrip goes by its code only if it is new.
        """
        known = self.master.by_code
        changed = {}
        for code, row in rows.items():
            held = known.get(code)
            if held is None:
                changed[code] = row._replace(symbol=row.symbol or str(code))
                continue
            now = held._replace(
                symbol=row.symbol or held.symbol,
                group=row.group or held.group,
                indices=row.indices or held.indices,
            )
            if now != held:
                changed[code] = now
        if changed:
            self._update(changed)

    def _update(self, changed: Mapping[int, Instrument]) -> None:
        by_code = {**self.master.by_code, **changed}
        if by_code != self.master.by_code:
            self.master = InstrumentMaster(by_code.values(), self.master.version + 1)
