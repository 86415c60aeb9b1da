"""What changed: since the last tick, and before it as far as anyone may still ask."""

from bse_shared.quotes.frame import Image
from bse_shared.quotes.quote_table import ALL_FIELDS, Changes, QuoteTable
from bse_ws_hub.hub.history import ChangeHistory
from bse_ws_hub.hub.stamps import FieldStamps


class Tape:
    """`dirty` is new since the last `advance`; `stamps` and `history` stand as of it.

    `gone`: what the store lost.
    """

    def __init__(self, table: QuoteTable, history_steps_max: int):
        self.dirty: Changes = {}
        self.gone: set[int] = set()
        self.stamps = FieldStamps()
        self.history = ChangeHistory(history_steps_max)
        self._epochs: dict[int, int] = {}
        self._table = table
        self._log: list[tuple[int, int, Image]] = []

    def changed(self, changes: Changes) -> None:
        """The table changed just now."""
        images, dirty = self._table.images, self.dirty
        for code, mask in changes.items():
            image = images.get(code)
            if image is None:
                self.gone.add(code)  # those who have its last quote keep it
                continue
            self.gone.discard(code)
            epoch = image.position.epoch
            changed = mask if self._epochs.get(code) == epoch else ALL_FIELDS
            self._epochs[code] = epoch
            dirty[code] = dirty.get(code, 0) | changed
            self._log.append((code, changed, image))

    def advance(self) -> None:
        """What was new is history."""
        stamped, kept = self.stamps.changed, self.history.changed
        for code, mask, image in self._log:
            stamped(code, mask, image.position)
            kept(code, mask, image, known=mask != ALL_FIELDS)
        self._log.clear()
        self.dirty = {}
