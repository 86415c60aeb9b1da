"""Of the streams of an identity with the same session name, on any hub, the newest lives.

The store decides the order and tells it on a channel; who missed that learns of it when he renews. While the store is
away the order is known among the streams of this hub only.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.stream_leases import SessionName, StreamLeases, TakenOver
from bse_shared.wire.records import from_json


BATCH_MAX = 500


@dataclass(slots=True)
class _Holder:
    stream: str
    since_us: int


class Takeovers:
    """The names held here. `on_taken` is told the stream whose name a newer one holds now."""

    def __init__(
        self,
        leases: StreamLeases,
        now_ms: Callable[[], int],
        on_taken: Callable[[str], None] = lambda _: None,
    ):
        """`now_ms`: the store's clock."""
        self.on_taken = on_taken
        self._leases = leases
        self._now_ms = now_ms
        self._held: dict[SessionName, _Holder] = {}
        self._released: asyncio.Queue[tuple[SessionName, str]] = asyncio.Queue()

    def __len__(self) -> int:
        return len(self._held)

    async def hold(
        self, session: SessionName, stream: str, *, is_away: bool = False
    ) -> bool:
        """The stream holds the name from now on; whether an older one did. `is_away`: the store need not be asked."""
        since_us, had_another = self._now_ms() * 1000, session in self._held
        if not is_away:
            with suppress(StoreUnavailable):
                (held,) = await self._leases.hold([(session, stream, 0)])
                since_us, had_another = held.since_us, held.had_another
        older = self._held.get(session)
        if older is not None and older.stream == stream:
            older.since_us = since_us
        elif older is None or older.since_us < since_us:
            self._held[session] = _Holder(stream, since_us)
            if older is not None:
                self.on_taken(older.stream)
        else:
            self.on_taken(stream)  # a newer one was faster to get its answer
        return had_another

    def take(self, data: bytes) -> None:
        """One message of the channel."""
        told = from_json(data, TakenOver)
        if told is not None:
            session = SessionName(told.owner, told.session)
            self._newer(session, told.stream, told.since_us)

    def release(self, session: SessionName, stream: str) -> None:
        """The stream is over."""
        held = self._held.get(session)
        if held is not None and held.stream == stream:
            del self._held[session]
            self._released.put_nowait((session, stream))

    async def step(self) -> None:
        """A supervised loop's step: let go of the next name. What can't be told now runs out by itself."""
        session, stream = await self._released.get()
        with suppress(StoreUnavailable):
            await self._leases.release(session, stream)

    async def renew(self) -> None:
        """Go on holding the names; those that a newer stream holds are given up. Raises StoreUnavailable."""
        held = [(s, h.stream, h.since_us) for s, h in self._held.items()]
        for start in range(0, len(held), BATCH_MAX):
            batch = held[start : start + BATCH_MAX]
            for (session, _, _), now in zip(
                batch, await self._leases.hold(batch), strict=True
            ):
                if not now.mine:
                    self._newer(session, "", now.since_us)

    def _newer(self, session: SessionName, stream: str, since_us: int) -> None:
        held = self._held.get(session)
        if held is None or held.stream == stream or held.since_us >= since_us:
            return
        del self._held[session]
        self.on_taken(held.stream)
