"""Which reported rows contradict what is known, so that an old copy never overwrites a newer price. Pure."""

from collections.abc import Mapping

from bse_shared.quotes.frame import Image
from bse_shared.quotes.quote import NUMBER, Value


NEW_TIMELINE_AFTER = 10
"""So many answers in a row that lie mostly in the past are not an old copy: the source's clock was put back."""

_TIME = NUMBER["exchange_time_ms"]
_VOLUME = NUMBER["volume"]
_DAY_MS = 86_400_000
_IST_OFFSET_MS = 19_800_000

Fields = Mapping[int, Value]


def contradiction(held: Image | None, fields: Fields) -> str:
    """Why the row can't follow what is held: `time_went_back` or `volume_went_back`; empty if it can."""
    if held is None:
        return ""
    held_ms, now_ms = held.quote.exchange_time_ms, fields.get(_TIME)
    if not isinstance(now_ms, int) or held_ms is None:
        return ""
    if now_ms < held_ms:
        return "time_went_back"
    volume = fields.get(_VOLUME)
    if (
        isinstance(volume, int)
        and held.quote.volume is not None
        and volume < held.quote.volume
        and _day(now_ms) == _day(held_ms)
    ):
        return "volume_went_back"
    return ""


class Timeline:
    """Notices when the source's time was put back for good, so that its rows must be believed again."""

    def __init__(self) -> None:
        self._in_the_past = 0

    def accepts_the_past(self, contradictions: int, rows: int) -> bool:
        """Told of each answer; True when rows that went back should be taken after all."""
        mostly_past = contradictions * 2 > rows
        self._in_the_past = self._in_the_past + 1 if mostly_past else 0
        if self._in_the_past >= NEW_TIMELINE_AFTER:
            self._in_the_past = 0
            return True
        return False


def _day(epoch_ms: int) -> int:
    return (epoch_ms + _IST_OFFSET_MS) // _DAY_MS
