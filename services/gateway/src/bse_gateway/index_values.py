"""The indices' own values as the fetcher last wrote them; the last ones read, while the store is away."""

from contextlib import suppress

from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.wire.records import IndexRecord


READ_EVERY_MS = 1_000
"""They change every few seconds at most."""


class IndexValues:
    """Reads them when somebody asks, at most once a second."""

    def __init__(self, history: MarketHistory, clock: Clock):
        self._history = history
        self._clock = clock
        self._held: dict[str, IndexRecord] = {}
        self._read_at_ms: float | None = None

    async def by_name(self) -> dict[str, IndexRecord]:
        """What is known of each index; each says when it was received."""
        now_ms = self._clock.monotonic_ms()
        if self._read_at_ms is None or now_ms - self._read_at_ms >= READ_EVERY_MS:
            self._read_at_ms = now_ms
            with suppress(StoreUnavailable):  # their age tells
                # A store that lost its memory is written again in a moment.
                self._held = await self._history.indices() or self._held
        return self._held
