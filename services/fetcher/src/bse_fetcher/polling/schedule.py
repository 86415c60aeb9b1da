"""Which scrips a batch source is asked for now: the due ones by tier, in full batches, spread over the interval. Pure.

All times are monotonic milliseconds.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from bse_fetcher.polling.demand import Tier


class Schedule:
    """Remembers when each scrip was asked for last."""

    def __init__(self, intervals_ms: Mapping[Tier, float], symbols_max: int):
        self._intervals_ms = dict(intervals_ms)
        self._symbols_max = symbols_max
        self._retry_ms = min(intervals_ms.values())
        self._asked_ms: dict[int, float] = {}
        self._again_ms: dict[int, float] = {}
        self._gap_ms: dict[int, float] = {}

    def due(
        self, tiers: Mapping[Tier, Sequence[int]], now_ms: float, step_ms: float
    ) -> list[list[int]]:
        """The batches to ask for now, hottest and latest first, as many as keep the pace; they count as asked.

        `step_ms` is how long until this is called again: work for a whole interval is never done in one step.
        A batch with room is filled up with scrips that are due next, which keeps batches together.
        """
        late: list[tuple[Tier, float, int]] = []
        soon: list[tuple[float, int]] = []
        rate_per_ms = 0.0
        for tier, codes in tiers.items():
            interval_ms = self._intervals_ms[tier]
            rate_per_ms += len(codes) / interval_ms
            for code in codes:
                due_ms = self._asked_ms.get(code, -math.inf) + interval_ms
                if code in self._again_ms:
                    due_ms = min(due_ms, self._again_ms[code])
                due_in = (due_ms - now_ms) / interval_ms
                if due_in <= 0:
                    late.append((tier, due_in, code))
                elif due_in <= 1 / 2:
                    soon.append((due_in, code))
        late.sort()
        batches_max = max(1, math.ceil(rate_per_ms * step_ms / self._symbols_max))
        chosen = [code for _, _, code in late[: batches_max * self._symbols_max]]
        if chosen and (room := -len(chosen) % self._symbols_max):
            soon.sort()
            chosen += [code for _, code in soon[:room]]
        self.asked(chosen, now_ms)
        return [
            chosen[start : start + self._symbols_max]
            for start in range(0, len(chosen), self._symbols_max)
        ]

    def asked(self, codes: Iterable[int], now_ms: float) -> None:
        """These are asked for now."""
        for code in codes:
            self._asked_ms[code] = now_ms
            self._again_ms.pop(code, None)

    def failed(self, codes: Iterable[int], now_ms: float) -> None:
        """These were asked for and did not come: due after the shortest interval, then after twice that, and so on.

        Never later than their tier says: a cold scrip must not wait for minutes because a source was ill for a moment.
        """
        for code in codes:
            gap_ms = self._gap_ms.get(code, self._retry_ms / 2) * 2
            self._gap_ms[code] = gap_ms
            self._again_ms[code] = now_ms + gap_ms

    def answered(self, codes: Iterable[int]) -> None:
        """These came."""
        for code in codes:
            self._gap_ms.pop(code, None)

    def not_asked(self, codes: Iterable[int]) -> None:
        """These were not asked for after all: they are due at once."""
        for code in codes:
            self._asked_ms.pop(code, None)
