"""Which prices are not to be trusted although they were read without fault. Pure.

A doubtful price is stored and shown, but marked `suspect`: it may be true (a new listing, a split), and a person
should see both the price and the doubt. Reasons are the labels under which they are counted.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bse_fetcher.polling.plausibility import day_of
from bse_shared.quotes.quote import NUMBER, Quote


FAR_PERCENT = 40
"""A day's band is at most 20 %; what is twice that far from the last close is a new listing, or wrong."""

LAPSES_AFTER_MS = 600_000

_LAST, _HIGH, _LOW = (NUMBER[f"{name}_paise"] for name in ("last", "high", "low"))
_CLOSE, _TIME = NUMBER["previous_close_paise"], NUMBER["exchange_time_ms"]
_LOWER, _UPPER = NUMBER["lower_circuit_paise"], NUMBER["upper_circuit_paise"]

Fields = Mapping[int, Any]
"""Values by field number; those that are looked at here are whole numbers or None."""


def doubt(fields: Fields, held: Quote, tick_paise: int = 1) -> str:
    """Why the row's own figures don't fit together, or with the circuit limits and the tick; empty if they do.

    The limits are the row's own, where it tells them, else those that are held.
    """
    get = fields.get
    last = get(_LAST)
    if last is None:
        return ""
    high, low, close = get(_HIGH), get(_LOW), get(_CLOSE)
    if high is not None and low is not None and not low <= last <= high:
        return "outside_day_range"
    if close is not None and abs(last - close) * 100 > FAR_PERCENT * close:
        return "far_from_close"
    if last % tick_paise:
        return "off_tick"
    lower, upper = get(_LOWER, held[_LOWER]), get(_UPPER, held[_UPPER])
    if (lower is not None and last < lower) or (upper is not None and last > upper):
        return "outside_band"
    return ""


def with_todays_limits(fields: Fields, held: Quote) -> Fields:
    """The row; one of a new day does away with the last day's circuit limits, which are set anew each morning."""
    if held[_LOWER] is None and held[_UPPER] is None:
        return fields
    at_ms, held_ms = fields.get(_TIME), held.exchange_time_ms
    if at_ms is None or held_ms is None or day_of(at_ms) <= day_of(held_ms):
        return fields
    return {_LOWER: None, _UPPER: None, **fields}


class Seen(NamedTuple):
    """What one source says of a scrip."""

    last_paise: int
    time_ms: int
    volume: int | None


class CrossCheck:
    """Compares the primary with a second source, scrip by scrip.

    Prices of two sources are only comparable if they are of about the same time. One that differs is noted, one
    that differs in two comparisons in a row diverges; one that agrees again is cleared, and so is one that could
    not be compared for LAPSES_AFTER_MS: nobody knows whether it still differs. Times are monotonic milliseconds.
    """

    def __init__(self, tolerance_percent: float, times_apart_max_ms: int):
        self.diverging: dict[int, str] = {}
        self._differed_ms: dict[int, float] = {}
        self._tolerance = tolerance_percent
        self._apart_max_ms = times_apart_max_ms
        self._noted: set[int] = set()

    def compare(
        self, code: int, primary: Seen, second: Seen, now_ms: float
    ) -> bool | None:
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
            self._differed_ms[code] = now_ms
        self._noted.add(code)
        return False

    def lapse(self, now_ms: float) -> None:
        """Forget what was not compared for too long."""
        for code in list(self.diverging):
            if now_ms - self._differed_ms[code] > LAPSES_AFTER_MS:
                self._noted.discard(code)
                del self.diverging[code]

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
