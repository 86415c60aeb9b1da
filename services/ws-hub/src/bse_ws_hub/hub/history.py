"""The last changes of every scrip one by one, for clients that want each of them: bounded, oldest forgotten first.

Most are never asked for. So a change is only put into the log; it is sorted under its scrip when somebody asks.
"""

from collections import deque
from itertools import islice
from typing import NamedTuple

from bse_shared.quotes.frame import Image
from bse_shared.quotes.position import START, Position


class Step(NamedTuple):
    """One change: of the fields in `mask`, which led from `since` to `image`."""

    since: Position
    mask: int
    image: Image


BREAK = 0
"""The mask of a log entry before which nothing is known of the scrip."""

_Entry = tuple[int, Position, int, Image]


class ChangeHistory:
    """`steps_max` changes in all."""

    def __init__(self, steps_max: int):
        self._log: deque[_Entry] = deque(maxlen=steps_max)
        self._unsorted = 0
        self._steps: dict[int, deque[Step]] = {}
        self._newest: dict[int, Position] = {}

    def changed(self, code: int, mask: int, image: Image, *, known: bool) -> None:
        """A scrip changed. `known`: no other change lies between this one and the last."""
        log, newest = self._log, self._newest
        if len(log) == log.maxlen:
            self._forget_oldest()
        log.append((code, newest.get(code, START), mask if known else BREAK, image))
        newest[code] = image.position
        self._unsorted += 1

    def after(self, code: int, position: Position) -> list[Step] | None:
        """All changes after a position that a client holds, in order; None where they are not all known."""
        if position == self._newest.get(code, START):
            return []
        self._sort()
        steps = self._steps.get(code)
        if not steps or position < steps[0].since:
            return None
        return [step for step in steps if step.image.position > position]

    def _sort(self) -> None:
        """Put what is new in the log under its scrip."""
        log = self._log
        for code, since, mask, image in islice(log, len(log) - self._unsorted, None):
            steps = self._steps.setdefault(code, deque())
            if mask == BREAK:
                steps.clear()
            else:
                steps.append(Step(since, mask, image))
        self._unsorted = 0

    def _forget_oldest(self) -> None:
        """Before the log drops its oldest entry."""
        if self._unsorted == len(self._log):
            self._unsorted -= 1
        elif self._log:
            code, _, _, image = self._log[0]
            steps = self._steps[code]
            if steps and steps[0].image is image:  # else it was cleared already
                steps.popleft()
