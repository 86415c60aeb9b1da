"""A quote that nobody has yet: the fetchers are asked for it once, and whoever wants it waits for the table.

One flight a scrip in the process; the board lets one ask through in the cluster. The quote comes the usual way, by the
bus and the store, so what is answered afterwards is what everybody else sees. Only who found no quote comes here.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bse_gateway.metrics import GatewayMetrics
from bse_shared.pacing.clock import Clock
from bse_shared.quotes.quote_table import GONE, Changes
from bse_shared.redis_edge.connection import StoreUnavailable
from bse_shared.redis_edge.demand_board import DemandBoard
from bse_shared.redis_edge.store import MarketStore


QUIET_MS = 10_000
"""A scrip that did not come is not asked for again so soon: most of these did not trade for months."""


FLIGHTS_MAX = 64
"""So many scrips are asked for at a time: sources give a few a second, and the market's own poll must not wait."""


@dataclass(slots=True, eq=False)
class _Flight:
    """A scrip that is waited for, until a time of the event loop; `result` is empty while it is under way."""

    ends_at_s: float
    ended: asyncio.Event
    result: str = ""


class OnDemand:
    """Asks and waits. `take` is to be told of every change of the table."""

    def __init__(
        self,
        board: DemandBoard,
        store: MarketStore,
        clock: Clock,
        metrics: GatewayMetrics,
        within_s: float,
    ):
        self._board = board
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._within_s = within_s
        self._flights: dict[int, _Flight] = {}
        # Until when scrips that did not come are left alone; never more than there are scrips.
        self._quiet_until_ms: dict[int, float] = {}

    def take(self, changes: Changes) -> None:
        """These scrips changed in the table."""
        if not self._flights:
            return
        for code in self._flights.keys() & changes.keys():
            if changes[code] != GONE:
                self._end(code, self._flights[code], "arrived")

    def is_quiet(self, code: int) -> bool:
        """Whether it did not come a moment ago, and is not asked for again so soon."""
        return self._clock.monotonic_ms() < self._quiet_until_ms.get(code, 0)

    async def any_arrives(self, codes: Sequence[int]) -> bool:
        """Whether one of these comes; all are waited for together, to one deadline."""
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(self.arrives(code)) for code in codes]
        return any(wait.result() for wait in waits)

    async def arrives(self, code: int) -> bool:
        """Whether the quote of a scrip that the table lacks comes within the deadline."""
        flight = self._flights.get(code)
        is_first = flight is None
        if flight is None:
            is_quiet = self.is_quiet(code)
            if is_quiet or len(self._flights) >= FLIGHTS_MAX:
                self._metrics.on_demand.labels("quiet" if is_quiet else "busy").inc()
                return False
            ends_at_s = asyncio.get_running_loop().time() + self._within_s
            flight = self._flights[code] = _Flight(ends_at_s, asyncio.Event())
        try:
            if is_first:
                async with asyncio.timeout_at(flight.ends_at_s):
                    await self._ask(code)
            # A timeout of its own: the Redis driver swallows one that fires while it takes a connection.
            async with asyncio.timeout_at(flight.ends_at_s):
                await flight.ended.wait()
        except TimeoutError:
            self._end(code, flight, "late")
        except StoreUnavailable:
            self._end(code, flight, "store_away")
        return flight.result == "arrived"

    async def _ask(self, code: int) -> None:
        # What the store has, the table reads by itself: nobody need ask the exchange.
        if not await self._store.holds(code):
            await self._board.ask(code, int(self._within_s * 1000))

    def _end(self, code: int, flight: _Flight, result: str) -> None:
        """The first end of a flight is its end."""
        if flight.result:
            return
        flight.result = result
        flight.ended.set()
        del self._flights[code]
        self._metrics.on_demand.labels(result).inc()
        if result == "late":
            self._quiet_until_ms[code] = self._clock.monotonic_ms() + QUIET_MS
        else:
            self._quiet_until_ms.pop(code, None)
