"""How fast new connections may come from one address or identity. Pure, and bounded in memory.

A second's worth, and twice that at once: the budgets of `bse_shared.access` look back over a minute, which lets a
minute's worth come in one second. Each hub counts by itself.
"""

from collections import OrderedDict
from math import ceil

from bse_ws_hub.hub.budget import Budget


NAMES_MAX = 20_000
"""The least recently heard are forgotten first: they have their whole budget again."""


class Arrivals:
    """The budgets of all who come."""

    def __init__(self, per_s: float, names_max: int = NAMES_MAX):
        self._per_s = per_s
        self._names_max = names_max
        self._budgets: OrderedDict[str, Budget] = OrderedDict()

    def __len__(self) -> int:
        return len(self._budgets)

    def wait_s(self, name: str, now_ms: float) -> int:
        """0: one more may come now. Otherwise: after so many seconds."""
        budget = self._budgets.get(name)
        if budget is None:
            budget = self._budgets[name] = Budget(self._per_s, self._per_s * 2, now_ms)
            if len(self._budgets) > self._names_max:
                self._budgets.popitem(last=False)
        self._budgets.move_to_end(name)
        return 0 if budget.spend(now_ms) else max(1, ceil(1 / self._per_s))
