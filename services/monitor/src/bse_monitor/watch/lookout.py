"""One look at everything: the store, who beats, and what those answer. Never fails for what it looks at."""

from collections.abc import Callable, Sequence

from bse_monitor.rules.observation import (
    FeedSeen,
    InstanceSeen,
    Observation,
    StoreSeen,
)
from bse_monitor.watch.heartbeats import Heartbeats
from bse_monitor.watch.service_probes import ServiceProbes
from bse_monitor.watch.store_view import StoreView
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.wire.records import Heartbeat


class Lookout:
    """Looks, and remembers what the store said last for the time when it is away.

    `is_missing(heartbeat, read_at_ms)`: those are not asked. Their address may be somebody else's by now.
    """

    def __init__(
        self,
        store_view: StoreView,
        heartbeats: Heartbeats,
        probes: ServiceProbes,
        is_missing: Callable[[Heartbeat, int], bool],
    ):
        self._store_view = store_view
        self._heartbeats = heartbeats
        self._probes = probes
        self._is_missing = is_missing
        self._feed = FeedSeen()
        self._beats: Sequence[Heartbeat] = ()
        self._beats_at_ms = 0

    async def look(self) -> Observation:
        """What is to be seen now."""
        try:
            store = await self._look_at_store()
        except StoreUnavailable as error:
            store = StoreSeen(False, error=str(error))
        present = [b for b in self._beats if not self._is_missing(b, self._beats_at_ms)]
        missing = [b for b in self._beats if self._is_missing(b, self._beats_at_ms)]
        answers = await self._probes.ask(beat.url for beat in present)
        return Observation(
            now_ms=self._store_view.now_ms(),
            store=store,
            feed=self._feed,
            heartbeats_at_ms=self._beats_at_ms,
            instances=(
                *(InstanceSeen(beat, answers[beat.url]) for beat in present),
                *(InstanceSeen(beat) for beat in missing),
            ),
        )

    async def _look_at_store(self) -> StoreSeen:
        sight = await self._store_view.read()
        now_ms = self._store_view.now_ms()
        self._beats = await self._heartbeats.read(now_ms)
        self._beats_at_ms = now_ms
        self._feed = sight.feed
        return sight.store
