"""Which reported rows contradict what is known, so that an old copy never overwrites a newer price. Pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bse_shared.quotes.quote import NUMBER, Quote


NEW_TIMELINE_AFTER = 10
"""A scrip that lies in the past in so many answers in a row is no old copy: the source corrected it, or its
clock was put back, or what is held has a wrong stamp."""

AHEAD_ROWS = 10

_TIME = NUMBER["exchange_time_ms"]
_VOLUME = NUMBER["volume"]
_DAY_MS = 86_400_000
_IST_OFFSET_MS = 19_800_000

Fields = Mapping[int, Any]
"""Values by field number; times and volumes are whole numbers or None."""


FUTURE_MAX_MS = 120_000
"""A trade can't be later than now; so far our clock and the source's may differ."""


def contradiction(held: Quote, fields: Fields, now_ms: int) -> str:
    """Why the row can't follow what is held; empty if it can.

    `time_went_back`, `volume_went_back`, or `time_in_future`, which would make every later row look old. Where
    what is held is in the future already, the source lives in another time (see also `clock_is_ahead`).
    """
    held_ms, at_ms = held.exchange_time_ms, fields.get(_TIME)
    if at_ms is None or held_ms is None:
        return ""
    if at_ms < held_ms:
        return "time_went_back"
    if at_ms > now_ms + FUTURE_MAX_MS >= held_ms:
        return "time_in_future"
    volume, held_volume = fields.get(_VOLUME), held.volume
    if volume is None or held_volume is None or volume >= held_volume:
        return ""
    return "volume_went_back" if day_of(at_ms) == day_of(held_ms) else ""


def clock_is_ahead(rows: Iterable[Fields], now_ms: int) -> bool:
    """Whether so many rows are in the future that it is the source's clock, or ours, and no bad row."""
    limit_ms = now_ms + FUTURE_MAX_MS
    ahead: int = sum((fields.get(_TIME) or 0) > limit_ms for fields in rows)
    return ahead > AHEAD_ROWS


class Timeline:
    """Notices which scrips went back for good, so that their rows must be believed again."""

    def __init__(self) -> None:
        self._in_the_past: dict[int, int] = {}

    def believed(self, doubtful: Collection[int], told: Collection[int]) -> set[int]:
        """Learn of an answer's doubtful scrips, of all that it `told` of; those whose rows should be taken after all."""
        past = self._in_the_past
        for code in [c for c in past if c in told and c not in doubtful]:
            del past[code]
        for code in doubtful:
            past[code] = past.get(code, 0) + 1
        believed = {code for code in doubtful if past[code] >= NEW_TIMELINE_AFTER}
        for code in believed:
            del past[code]
        return believed


def day_of(epoch_ms: int) -> int:
    """The Indian day, as a number."""
    return (epoch_ms + _IST_OFFSET_MS) // _DAY_MS
