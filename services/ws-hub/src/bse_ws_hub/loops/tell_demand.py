"""Tells the fetchers which scrips are watched here, so that they ask the exchange for these first."""

from collections.abc import Callable
from dataclasses import dataclass

from bse_shared.redis_edge.demand_board import DemandBoard
from bse_ws_hub.hub.hub import Hub


@dataclass(slots=True)
class DemandTeller:
    """`step` is a supervised loop, every REPORT_EVERY_S of the board. `name` must be this hub's alone."""

    board: DemandBoard
    hub: Hub
    name: str
    now_ms: Callable[[], int]
    told: bool = False

    async def step(self) -> None:
        """Report the whole set; nothing, once, where nobody watches anything any more."""
        codes = self.hub.watched()
        if codes:
            await self.board.report(self.name, codes, self.now_ms())
        elif self.told:
            await self.board.withdraw(self.name)
        self.told = bool(codes)
