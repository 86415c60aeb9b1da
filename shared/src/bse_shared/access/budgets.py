"""Budgets over a sliding window: in no 60 s more than the limit, and at most a second's coarseness against the caller.

A caller's requests are counted by second; a second counts until it lies a whole window back. Pure and bounded:
the least recently heard callers are forgotten first. (The libraries read the clock themselves, or ask Redis for
each request.)
"""

from collections import OrderedDict, deque
from typing import NamedTuple


WINDOW_S = 60
CALLERS_MAX = 20_000


class Spent(NamedTuple):
    """The state of a budget. `reset_s`: after so long something of what was spent comes back."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int


class _Window:
    __slots__ = ("seconds", "total")

    def __init__(self) -> None:
        self.seconds: deque[list[int]] = deque()
        self.total = 0


class Budgets:
    """The budgets of all callers, by name."""

    def __init__(self, callers_max: int = CALLERS_MAX):
        self._callers_max = callers_max
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def spend(self, caller: str, limit: int, now_s: float) -> Spent:
        """Take one out of the caller's budget, if one is left."""
        second = int(now_s)
        window = self._window(caller, second)
        if window.total >= limit:
            return Spent(False, limit, 0, _reset_s(window, second))
        _count(window, second, 1)
        return Spent(True, limit, limit - window.total, _reset_s(window, second))

    def look(self, caller: str, limit: int, now_s: float) -> Spent:
        """The caller's budget, with nothing taken out."""
        second = int(now_s)
        window = self._windows.get(caller)
        if window is None:
            return Spent(True, limit, limit, 0)
        _drop_old(window, second)
        left = max(limit - window.total, 0)
        return Spent(left > 0, limit, left, _reset_s(window, second))

    def add(self, caller: str, count: int, now_s: float) -> None:
        """Count what the caller spent elsewhere."""
        second = int(now_s)
        _count(self._window(caller, second), second, count)

    def _window(self, caller: str, second: int) -> _Window:
        window = self._windows.get(caller)
        if window is None:
            window = self._windows[caller] = _Window()
            if len(self._windows) > self._callers_max:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(caller)
            _drop_old(window, second)
        return window


def _count(window: _Window, second: int, count: int) -> None:
    seconds = window.seconds
    # A clock that steps back counts into the newest second: nothing is won by it.
    if seconds and seconds[-1][0] >= second:
        seconds[-1][1] += count
    else:
        seconds.append([second, count])
    window.total += count


def _drop_old(window: _Window, second: int) -> None:
    seconds = window.seconds
    while seconds and seconds[0][0] < second - WINDOW_S:
        window.total -= seconds.popleft()[1]


def _reset_s(window: _Window, second: int) -> int:
    if not window.seconds:
        return 0
    return max(window.seconds[0][0] + WINDOW_S + 1 - second, 1)
