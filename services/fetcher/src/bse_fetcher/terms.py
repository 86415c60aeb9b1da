"""The shards that this fetcher may write now: leases with the writers that started on what the store held.

A list source has one active poller: whoever gets the first shard goes on to the others, and who lost the first
gives the others back, so two fetchers never share the market between them: nobody would poll. A batch source's
shards are shared evenly by all fetchers that are alive.
"""

from collections.abc import Mapping

import structlog

from bse_fetcher.metrics import FetcherMetrics
from bse_shared.pacing.clock import Clock
from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.quotes.position import next_epoch, shard_of
from bse_shared.quotes.shard_writer import Plan, ShardWriter
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.store import Lease, MarketStore


log = structlog.get_logger()


class Terms:
    """Leases and writers by shard. Complete means that this fetcher is the active one."""

    def __init__(
        self,
        store: MarketStore,
        clock: Clock,
        holder: str,
        lease_ttl_s: float,
        metrics: FetcherMetrics,
        *,
        shared: bool = False,
    ):
        """`shared`: split the shards evenly with the other fetchers."""
        self.writers: dict[int, ShardWriter] = {}
        self.activations = 0  # how often this fetcher became the active one
        self._leases: dict[int, Lease] = {}
        self._store = store
        self._clock = clock
        self._holder = holder
        self._ttl_ms = int(lease_ttl_s * 1000)
        self._metrics = metrics
        self._seen_epoch = 0
        self._shared = shared

    @property
    def shards(self) -> int:
        """Into how many shards the market is split."""
        return self._store.shards

    @property
    def active(self) -> bool:
        """Whether this fetcher does its part: the whole market, or its share of it."""
        if self._shared:
            return bool(self.writers)
        return len(self.writers) == self._store.shards

    @property
    def leads(self) -> bool:
        """Whether this fetcher does what must be done once for all: it holds the first shard."""
        return self.active and 0 in self.writers

    def holds(self, code: int) -> bool:
        """Whether this fetcher may write the scrip."""
        return shard_of(code, self._store.shards) in self.writers

    async def hold(self) -> None:
        """Renew what is held, then try to take what is missing. Call it a few times within the TTL."""
        held = await self._store.renew_leases(list(self._leases.values()), self._ttl_ms)
        for shard in set(self._leases) - {lease.shard for lease in held}:
            self.lose(shard, "lease expired or taken over")
        was_active = self.active
        if self._shared:
            await self._hold_share()
        else:
            await self._take(range(self._store.shards))
            if 0 not in self._leases:
                await self.release()
        if self.active and not was_active:
            self.activations += 1
            log.info("fetcher.active", shards=len(self.writers))

    async def _hold_share(self) -> None:
        """As many shards as everybody's even share; what is above it is given back for a newcomer."""
        fetchers = await self._store.fetchers_alive(self._holder, self._ttl_ms)
        share, more = divmod(self._store.shards, len(fetchers))
        share += fetchers.index(self._holder) < more
        surplus = sorted(self._leases)[share:]
        if surplus:
            leases = [self._leases[shard] for shard in surplus]
            for shard in surplus:
                self.lose(shard, "given to another fetcher")
            await self._store.release_leases(leases)
        elif len(self._leases) < share:
            await self._take(range(self._store.shards), at_most=share)

    def lose(self, shard: int, why: str) -> None:
        """Forget a term: what the store holds is no longer known."""
        if self._leases.pop(shard, None):
            self.writers.pop(shard, None)
            log.info("fetcher.term_lost", shard=shard, why=why)
        self._metrics.shards_held.set(len(self.writers))

    def lose_all(self, why: str) -> None:
        """Forget all terms."""
        for shard in list(self._leases):
            self.lose(shard, why)

    async def release(self) -> None:
        """Give the leases back: at shutdown, and where another fetcher has the first shard."""
        leases = list(self._leases.values())
        self.lose_all("given back")
        await self._store.release_leases(leases)

    async def leave(self) -> None:
        """At shutdown: give everything back, and be no more counted among the fetchers."""
        await self.release()
        if self._shared:
            await self._store.fetcher_leaves(self._holder)

    def lease_of(self, shard: int) -> Lease | None:
        """The lease of a shard that is held."""
        return self._leases.get(shard)

    async def commit(
        self, plans: Mapping[int, Plan], master: InstrumentMaster
    ) -> list[Plan]:
        """Commit plans by shard; those that were taken. A refused or doubtful one ends its term.

        A plan of a term that ended since it was made, by another commit's failure, is not committed.
        """
        jobs = [
            (lease, plan)
            for shard, plan in plans.items()
            if (lease := self._leases.get(shard)) is not None
            and lease.epoch == plan.frame.position.epoch
        ]
        try:
            refusals = await self._store.commit(jobs, master)
        except StoreUnavailable:
            self.lose_all("a commit is in doubt")
            raise
        for (lease, plan), refusal in zip(jobs, refusals, strict=True):
            if self._leases.get(lease.shard) is not lease:
                continue  # lost, or taken anew, while the commit was under way
            if refusal is None:
                self.writers[lease.shard].committed(plan)
            else:
                self._metrics.fenced.inc()
                self.lose(lease.shard, str(refusal))
        return [
            plan
            for (_, plan), refusal in zip(jobs, refusals, strict=True)
            if refusal is None
        ]

    async def _take(self, shards: range, at_most: int | None = None) -> None:
        """Take the free ones among the shards. Alone, the first that is taken ends it: its holder has them all."""
        for shard in shards:
            if shard in self._leases:
                continue
            if at_most is not None and len(self._leases) >= at_most:
                break
            floor = next_epoch(self._seen_epoch, self._clock.wall_ms())
            lease = await self._store.take_lease(
                shard, self._holder, self._ttl_ms, floor
            )
            if lease is None:
                if at_most is None:
                    return
                continue
            self._seen_epoch = max(self._seen_epoch, lease.epoch)
            term = await self._store.snapshot(shard)
            if term.position.epoch != lease.epoch:
                return
            self._leases[shard] = lease
            self.writers[shard] = ShardWriter(term)
        self._metrics.shards_held.set(len(self.writers))
