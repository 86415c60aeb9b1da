"""How far a price may be trusted right now. Derived by every reader, at every door, by this one rule."""

from enum import StrEnum

from bse_shared.quotes.quote import Condition


FRESH_FOR_MS = 7_000
"""A price last confirmed longer ago than this is never shown as live: two polls of 3 s and a second."""


class Quality(StrEnum):
    """What a reader may tell a person about a price."""

    LIVE = "live"
    DELAYED = "delayed"
    STALE = "stale"
    CLOSED = "closed"
    HALTED = "halted"
    SUSPECT = "suspect"


_OF_CONDITION: dict[int, Quality] = {
    Condition.GOOD: Quality.LIVE,
    Condition.DELAYED: Quality.DELAYED,
    Condition.SUSPECT: Quality.SUSPECT,
    Condition.HALTED: Quality.HALTED,
}


def quality_of(
    condition: int | None,
    age_ms: int | None,
    *,
    market_open: bool,
    fresh_for_ms: int = FRESH_FOR_MS,
) -> Quality:
    """The quality of a price confirmed `age_ms` ago (None: never), while the market is or is not open.

    An age below zero means that a clock ran backwards: what is not known to be fresh is stale. A condition
    that only a newer version knows is nothing good.
    """
    if not market_open:
        return Quality.SUSPECT if condition == Condition.SUSPECT else Quality.CLOSED
    if age_ms is None or age_ms > fresh_for_ms or age_ms < -fresh_for_ms:
        return Quality.STALE
    return _OF_CONDITION.get(condition or 0, Quality.SUSPECT)
