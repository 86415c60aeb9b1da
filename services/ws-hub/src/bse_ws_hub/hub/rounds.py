"""Everybody in turn, at constant work: what must be done for each now and then is never done for all at once."""

from collections import deque
from collections.abc import Collection, Iterable
from math import ceil


class Rounds:
    """A round takes `steps` steps, and everybody who was there at its beginning has his turn in it."""

    def __init__(self, steps: int):
        self._steps = steps
        self._steps_left = 0
        self._waiting: deque[str] = deque()

    def turn(self, present: Collection[str]) -> list[str]:
        """Whose turn it is in the next step; some may have gone since the round began."""
        if not self._steps_left:
            self._steps_left = self._steps
            self._waiting.extend(present)
        share = ceil(len(self._waiting) / self._steps_left)
        self._steps_left -= 1
        return [self._waiting.popleft() for _ in range(share)]

    def again(self, names: Iterable[str]) -> None:
        """Their turn came to nothing: they are the next."""
        self._waiting.extendleft(names)
