"""What every loop of the fetcher works with."""

from dataclasses import dataclass, field

from bse_fetcher.instruments import KnownInstruments
from bse_fetcher.metrics import FetcherMetrics
from bse_fetcher.polling.orders import Orders
from bse_fetcher.publisher import Publisher
from bse_fetcher.terms import Terms
from bse_shared.pacing.clock import Clock
from bse_shared.redis_edge.store import MarketStore


@dataclass(frozen=True, slots=True)
class Core:
    """One of each; `holder` is this fetcher's name."""

    holder: str
    clock: Clock
    store: MarketStore
    terms: Terms
    instruments: KnownInstruments
    publisher: Publisher
    metrics: FetcherMetrics
    orders: Orders = field(default_factory=Orders)

    async def is_our_turn(self) -> bool:
        """Whether this fetcher is to ask sources now: not before it knows the operators' order.

        Reads the master first where it has just become active: another fetcher may have written a newer one.
        """
        if not (self.terms.active and self.orders.known):
            return False
        activation = self.terms.activations
        if self.instruments.loaded_in != activation:
            self.instruments.load(await self.store.instruments(), activation)
        return True
