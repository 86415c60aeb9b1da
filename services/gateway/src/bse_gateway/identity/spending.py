"""Budgets that replicas share without asking anybody: each tells the others once a second what was spent with it.

A request costs no round trip; with Redis away each replica holds the whole limit by itself.
"""

from collections import Counter
from typing import Annotated

import msgspec

from bse_shared.access.budgets import Budgets, Spent
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.access_store import AccessStore
from bse_shared.wire.records import from_json, to_json


TELL_INTERVAL_S = 1.0
TOLD_MAX = 2_000
"""So many callers in one message, the largest spenders first."""


class SpentHere(msgspec.Struct, frozen=True, kw_only=True):
    """One message: what a replica's callers spent in the last second."""

    replica: str
    spent: dict[str, Annotated[int, msgspec.Meta(ge=0)]]


class Spending:
    """The budgets of all callers, with what they spent at other replicas."""

    def __init__(self, store: AccessStore, clock: Clock, replica: str):
        self._budgets = Budgets()
        self._store = store
        self._clock = clock
        self._replica = replica
        self._untold: Counter[str] = Counter()

    def spend(self, caller: str, limit: int) -> Spent:
        """Take one request out of the caller's budget, if one is left."""
        spent = self._budgets.spend(caller, limit, self._clock.monotonic_ms() / 1000)
        if spent.allowed:
            self._untold[caller] += 1
        return spent

    async def tell(self) -> None:
        """Tell the others what was spent here since last time. What can't be told is not told later."""
        if not self._untold:
            return
        spent = dict(self._untold.most_common(TOLD_MAX))
        self._untold.clear()
        told = SpentHere(replica=self._replica, spent=spent)
        await self._store.tell_spending(to_json(told))

    def take(self, data: bytes) -> None:
        """What another replica told."""
        told = from_json(data, SpentHere)
        if told is None or told.replica == self._replica:
            return
        now_s = self._clock.monotonic_ms() / 1000
        for caller, count in told.spent.items():
            self._budgets.add(caller, count, now_s)
