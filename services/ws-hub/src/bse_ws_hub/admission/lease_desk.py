"""Counts the streams of each identity, here and over all hubs. Asking costs a share of one round trip.

What is wanted at the same time goes to the store together. While the store is away the hub decides by its own count,
and says what it holds when the store is back; nobody who is connected is ever thrown out.
"""

import asyncio
from collections import Counter, OrderedDict
from math import ceil

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.stream_leases import StreamLeases, Wish


RENEW_INTERVAL_S = 5.0
BATCH_MAX = 500
RETOLD_IN_ROUNDS = 120
"""Each count is told again within so many renewals, long before the store forgets it."""


class LeaseDesk:
    """`step` and `renew` are supervised loops of the owner."""

    def __init__(self, leases: StreamLeases):
        self._leases = leases
        self._here: Counter[str] = Counter()
        self._told: OrderedDict[str, None] = OrderedDict()
        self._untold: dict[str, None] = {}
        self._asked: list[tuple[Wish, asyncio.Future[bool]]] = []
        self._wanted = asyncio.Event()
        self._away = True

    @property
    def is_away(self) -> bool:
        """Whether the store did not answer when it was last asked."""
        return self._away

    @property
    def owners(self) -> int:
        """Different identities and addresses with streams here."""
        return len(self._here)

    def here(self, owner: str) -> int:
        """The streams that this hub holds of the identity."""
        return self._here[owner]

    async def take(self, owner: str, limit: int) -> bool:
        """Open one more stream of the identity; False where that is one too many."""
        if self._here[owner] >= limit:
            self._forget_empty(owner)
            return False
        self._here[owner] += 1
        if self._away:
            self._tell(owner)
            return True
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked.append((Wish(owner, self._here[owner], limit), answer))
        self._wanted.set()
        granted = False
        try:
            granted = await answer
        finally:
            if not granted:
                self.release(owner)
        return granted

    def release(self, owner: str) -> None:
        """One stream of the identity is over."""
        self._here[owner] -= 1
        self._forget_empty(owner)
        self._tell(owner)

    async def step(self) -> None:
        """Take what is asked, and tell what has changed, to the store."""
        await self._wanted.wait()
        self._wanted.clear()
        while self._asked or (self._untold and not self._away):
            await self._take_asked()
            await self._tell_changed()

    async def renew(self) -> None:
        """Stay in the store's list of hubs; say everything again if it was lost there. Raises StoreUnavailable."""
        try:
            known = await self._leases.renew()
        except StoreUnavailable:
            self._away = True
            raise
        self._away = False
        if known:
            for _ in range(ceil(len(self._told) / RETOLD_IN_ROUNDS)):
                self._tell(next(iter(self._told)))
        else:
            for owner in self._here:
                self._tell(owner)
        self._wanted.set()

    async def leave(self) -> None:
        """The process ends. Raises StoreUnavailable."""
        await self._leases.leave()

    # Private.

    def _tell(self, owner: str) -> None:
        self._told.pop(owner, None)
        self._untold[owner] = None
        self._wanted.set()

    def _forget_empty(self, owner: str) -> None:
        if not self._here[owner]:
            del self._here[owner]

    async def _take_asked(self) -> None:
        asked, self._asked = self._asked[:BATCH_MAX], self._asked[BATCH_MAX:]
        if not asked:
            return
        wishes = [wish for wish, _ in asked]
        try:
            granted = await self._leases.take(wishes)
        except StoreUnavailable:
            # Perhaps the store did it and only the answer was lost: what we hold is told again.
            self._away = True
            granted = [True] * len(asked)
            for wish in wishes:
                self._tell(wish.owner)
        for (wish, answer), may in zip(asked, granted, strict=True):
            self._told[wish.owner] = None
            if not answer.done():
                answer.set_result(may)

    async def _tell_changed(self) -> None:
        if self._away:
            return
        owners = list(self._untold)[:BATCH_MAX]
        if not owners:
            return
        for owner in owners:
            del self._untold[owner]
        try:
            await self._leases.write({owner: self._here[owner] for owner in owners})
        except StoreUnavailable:
            self._away = True
            self._untold.update(dict.fromkeys(owners))
            return
        for owner in owners:
            if self._here[owner]:
                self._told[owner] = None
            self._forget_empty(owner)
