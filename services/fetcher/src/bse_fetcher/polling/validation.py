"""Which prices are not to be trusted although they were read without fault. Pure.

A doubtful price is stored and shown, but marked `suspect`: it may be true (a new listing, a split), and a person
should see both the price and the doubt. Reasons are the labels under which they are counted.
"""

from collections.abc import Mapping
from typing import NamedTuple

from bse_shared.quotes.quote import NUMBER, Quote, Value


FAR_PERCENT = 40
"""A day's band is at most 20 %; what is twice that far from the last close is a new listing, or wrong."""

_LAST, _HIGH, _LOW = (NUMBER[f"{name}_paise"] for name in ("last", "high", "low"))
_CLOSE = NUMBER["previous_close_paise"]

Fields = Mapping[int, Value]


def doubt(fields: Fields, held: Quote | None) -> str:
    """Why the row's own figures don't fit together, or with the circuit limits that are known; empty if they do."""
    last, high, low = fields.get(_LAST), fields.get(_HIGH), fields.get(_LOW)
    if not isinstance(last, int):
        return ""
    if isinstance(high, int) and isinstance(low, int) and not low <= last <= high:
        return "outside_day_range"
    close = fields.get(_CLOSE)
    if isinstance(close, int) and abs(last - close) * 100 > FAR_PERCENT * close:
        return "far_from_close"
    if held is not None and _is_outside(
        last, held.lower_circuit_paise, held.upper_circuit_paise
    ):
        return "outside_band"
    return ""


def _is_outside(last: int, lower: int | None, upper: int | None) -> bool:
    is_below = lower is not None and last < lower
    return is_below or (upper is not None and last > upper)


class Seen(NamedTuple):
    """What one source says of a scrip."""

    last_paise: int
    time_ms: int
    volume: int | None


class CrossCheck:
    """Compares the primary with a second source, scrip by scrip.

    Prices of two sources are only comparable if they are of about the same time. One that differs is noted, one
    that differs in two comparisons in a row diverges; one that agrees again is cleared.
    """

    def __init__(self, tolerance_percent: float, times_apart_max_ms: int):
        self.diverging: dict[int, str] = {}
        self._tolerance = tolerance_percent
        self._apart_max_ms = times_apart_max_ms
        self._noted: set[int] = set()

    def compare(self, code: int, primary: Seen, second: Seen) -> bool | None:
        """Whether the two agree; None where they can't be compared."""
        if abs(primary.time_ms - second.time_ms) > self._apart_max_ms:
            return None
        why = self._difference(primary, second)
        if not why:
            self._noted.discard(code)
            self.diverging.pop(code, None)
            return True
        if code in self._noted:
            self.diverging[code] = why
        self._noted.add(code)
        return False

    def forget(self, code: int) -> None:
        """The scrip is compared no more: nobody knows whether it still differs."""
        self._noted.discard(code)
        self.diverging.pop(code, None)

    def _difference(self, primary: Seen, second: Seen) -> str:
        apart = abs(primary.last_paise - second.last_paise)
        if apart * 100 > self._tolerance * second.last_paise:
            return "price_diverges"
        if (
            primary.volume is not None
            and second.volume is not None
            and primary.time_ms == second.time_ms
            and abs(primary.volume - second.volume) * 2 > second.volume
        ):
            return "volume_diverges"
        return ""
