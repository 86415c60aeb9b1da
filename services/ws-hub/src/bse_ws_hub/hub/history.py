"""The last changes of every scrip one by one, for clients that want each of them: bounded, oldest forgotten first."""

from collections import deque
from typing import NamedTuple

from bse_shared.quotes.frame import Image
from bse_shared.quotes.position import START, Position


class Step(NamedTuple):
    """One change: of the fields in `mask`, which led from `since` to `image`."""

    since: Position
    mask: int
    image: Image


class ChangeHistory:
    """`steps_max` changes in all."""

    def __init__(self, steps_max: int):
        self._steps_max = steps_max
        self._order: deque[tuple[int, Step]] = deque()
        self._steps: dict[int, deque[Step]] = {}
        self._newest: dict[int, Position] = {}

    def changed(self, code: int, mask: int, image: Image, *, known: bool) -> None:
        """A scrip changed. `known`: no other change lies between this one and the last."""
        since = self._newest.get(code, START)
        self._newest[code] = image.position
        steps = self._steps.setdefault(code, deque())
        if not known:
            steps.clear()
            return
        step = Step(since, mask, image)
        steps.append(step)
        self._order.append((code, step))
        while len(self._order) > self._steps_max:
            self._forget(*self._order.popleft())

    def after(self, code: int, position: Position) -> list[Step] | None:
        """All changes after a position that a client holds, in order; None where they are not all known."""
        steps = self._steps.get(code)
        if position == self._newest.get(code, START):
            return []
        if not steps or position < steps[0].since:
            return None
        return [step for step in steps if step.image.position > position]

    def _forget(self, code: int, step: Step) -> None:
        steps = self._steps[code]
        if steps and steps[0] is step:  # else it was cleared already
            steps.popleft()
