"""Notices a feed that answers, but always the same: a cache that stopped, an exchange that stopped. Pure."""

from collections.abc import Mapping

from bse_shared.quotes.quote import NUMBER, Value


GAP_MAX_MS = 10_000.0

_TIME = NUMBER["exchange_time_ms"]

Seen = Mapping[int, Mapping[int, Value]]


class FrozenFeed:
    """Compares each answer with the one before."""

    def __init__(self, frozen_after_ms: float):
        """0 switches it off."""
        self._after_ms = frozen_after_ms
        self._last: Seen = {}
        self._still_ms = 0.0
        self._answered_ms: float | None = None

    def is_frozen(self, seen: Seen, now_ms: float, *, should_move: bool) -> bool:
        """Whether nothing has moved for too long, by an answer received at `now_ms` (monotonic).

        Only time in which the market should move counts, and of a pause between two answers only the beginning.
        """
        moved = _differs(self._last, seen)
        self._last = seen
        before_ms, self._answered_ms = self._answered_ms, now_ms
        if moved or not should_move or before_ms is None:
            self._still_ms = 0.0
            return False
        self._still_ms += min(now_ms - before_ms, GAP_MAX_MS)
        return 0 < self._after_ms < self._still_ms


class FrozenTrades:
    """The same of a source that tells a part of the market at a time: whether any trade is newer than all before.

    A scrip that is asked for once in minutes differs from what it was then although the source stopped long ago, so
    rows can't be compared. A time that is earlier than the scrip's last one is a clock that was put back: it moved.
    """

    def __init__(self, frozen_after_ms: float):
        """0 switches it off."""
        self._after_ms = frozen_after_ms
        self._told_ms: dict[int, int] = {}
        self._newest_ms = 0
        self._still_ms = 0.0
        self._answered_ms: float | None = None

    def is_frozen(self, seen: Seen, now_ms: float, *, should_move: bool) -> bool:
        """Whether no trade was newer for too long, by an answer received at `now_ms` (monotonic)."""
        told_ms = {code: at_ms for code in seen if (at_ms := _time(seen[code]))}
        went_back = any(
            at_ms < self._told_ms.get(code, 0) for code, at_ms in told_ms.items()
        )
        newest_ms = max(told_ms.values(), default=0)
        moved = went_back or newest_ms > self._newest_ms
        if moved:
            self._newest_ms = newest_ms
        self._told_ms.update(told_ms)
        before_ms, self._answered_ms = self._answered_ms, now_ms
        if moved or not should_move or before_ms is None or not self._newest_ms:
            self._still_ms = 0.0
            return False
        self._still_ms += min(now_ms - before_ms, GAP_MAX_MS)
        return 0 < self._after_ms < self._still_ms


def newest_trade_ms(seen: Seen) -> int:
    """When the newest trade of an answer was; 0 where it tells no time."""
    return max((_time(fields) for fields in seen.values()), default=0)


def _differs(last: Seen, seen: Seen) -> bool:
    """Ends at the first row that moved: in a market that moves, at once."""
    for code, fields in seen.items():
        before = last.get(code)
        if before is not fields and before != fields:
            return True
    return False


def _time(fields: Mapping[int, Value]) -> int:
    at_ms = fields.get(_TIME)
    return at_ms if isinstance(at_ms, int) else 0
