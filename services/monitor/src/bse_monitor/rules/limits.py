"""The numbers that the rules judge by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bse_shared.quotes.quality import FRESH_FOR_MS


@dataclass(frozen=True, slots=True)
class Limits:
    """When something is too old, too slow or too few.

    wanted: the expected services, and how many instances of each must be up.
    missing_after_ms: three lost heartbeats and a half.
    feed_down_after_ms: one slow poll is a blip; a feed stale for longer is an outage.
    """

    wanted: Mapping[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("fetcher", "gateway", "ws-hub", "monitor"), 1
        )
    )
    missing_after_ms: float = 3_500
    feed_silent_after_ms: float = 3_500
    feed_stale_after_ms: float = FRESH_FOR_MS
    feed_down_after_ms: float = 30_000
    store_slow_after_ms: float = 100
