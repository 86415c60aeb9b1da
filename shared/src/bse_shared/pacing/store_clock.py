"""One time base for all processes: the store's clock, as seen through our own monotonic clock.

Wall clocks of hosts differ and jump; ages of prices must not. Every process asks the store for its time now
and then, and counts on from the best answer with its monotonic clock. Pure: readings are arguments.
"""

DRIFT = 200e-6
"""How far a host's monotonic clock may drift from the store's: 200 ppm, twice what NTP corrects at most."""


class StoreClock:
    """Estimates the store's clock. Unset until the first observation."""

    def __init__(self) -> None:
        self._offset_ms: float | None = None
        self._uncertainty_ms = 0.0
        self._observed_ms = 0.0

    @property
    def known(self) -> bool:
        """Whether the store's time was ever seen."""
        return self._offset_ms is not None

    def now_ms(self, monotonic_ms: float) -> int:
        """The store's time at our `monotonic_ms`; 0 while unknown."""
        return 0 if self._offset_ms is None else int(monotonic_ms + self._offset_ms)

    def observe(self, sent_ms: float, received_ms: float, store_ms: float) -> None:
        """The store said `store_ms` at some instant between our `sent_ms` and `received_ms`."""
        uncertainty = (received_ms - sent_ms) / 2
        offset = store_ms - (sent_ms + received_ms) / 2
        if self._offset_ms is not None:
            held = self._uncertainty_ms + (received_ms - self._observed_ms) * DRIFT
            stepped = abs(offset - self._offset_ms) > uncertainty + held + 1
            if uncertainty > held and not stepped:
                return
        self._offset_ms = offset
        self._uncertainty_ms = uncertainty
        self._observed_ms = received_ms
