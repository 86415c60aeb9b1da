"""Who wants which scrips, and what became of that want: hot, warm, cold. Pure; times are store-clock milliseconds.

Watched scrips are hot. One that is no longer watched, or that a REST reader missed, is warm for a while and then
cold: how often a source is asked depends on which scrips are wanted, never on how many clients want them.
"""

from collections.abc import Collection, Iterable
from enum import IntEnum


class Tier(IntEnum):
    """How often a scrip is asked for; the lowest comes first."""

    HOT = 0
    WARM = 1
    COLD = 2


class Demand:
    """The tiers of all scrips; what it does not know is cold."""

    def __init__(self, hot_max: int, warm_for_ms: int, missed_hot_for_ms: int):
        """At most `hot_max` scrips are hot: first the longest watched, so that none is crowded out."""
        self._hot_max = hot_max
        self._warm_for_ms = warm_for_ms
        self._missed_hot_for_ms = missed_hot_for_ms
        self._watched: dict[int, None] = {}
        self._hot_until_ms: dict[int, int] = {}
        self._warm_until_ms: dict[int, int] = {}

    def watch(self, codes: Iterable[int], now_ms: int) -> None:
        """These scrips, and no others, are watched now."""
        wanted = set(codes)
        for code in self._watched.keys() - wanted:
            del self._watched[code]
            self._warm_until_ms[code] = now_ms + self._warm_for_ms
        self._watched.update(dict.fromkeys(sorted(wanted - self._watched.keys())))
        self._forget(now_ms)

    def miss(self, code: int, now_ms: int) -> None:
        """A reader asked for the scrip and found nothing, or nothing fresh."""
        self._hot_until_ms[code] = now_ms + self._missed_hot_for_ms
        self._warm_until_ms[code] = now_ms + self._warm_for_ms

    def hot(self, now_ms: int) -> list[int]:
        """The hot scrips, at most `hot_max`."""
        missed = (c for c, until_ms in self._hot_until_ms.items() if until_ms > now_ms)
        return list(dict.fromkeys([*self._watched, *missed]))[: self._hot_max]

    def warm(self, now_ms: int) -> set[int]:
        """The warm scrips, with those that there was no room for among the hot."""
        lately = {c for c, until in self._warm_until_ms.items() if until > now_ms}
        return (lately | self._watched.keys()) - set(self.hot(now_ms))

    def sizes(self, known: Collection[int], now_ms: int) -> dict[str, int]:
        """How many of the scrips that are known are in each tier, by its name."""
        hot = {code for code in self.hot(now_ms) if code in known}
        warm = {code for code in self.warm(now_ms) if code in known}
        return {
            "hot": len(hot),
            "warm": len(warm),
            "cold": len(known) - len(hot | warm),
        }

    def _forget(self, now_ms: int) -> None:
        for times in (self._hot_until_ms, self._warm_until_ms):
            for code in [c for c, until_ms in times.items() if until_ms <= now_ms]:
                del times[code]
