"""How often each source may be asked, by all fetchers together: a leaky bucket a source, kept by the store's clock.

A pause that a source asked for, or a block, is kept here too: whoever takes over has to respect it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from bse_shared.pacing.clock import Clock
from bse_shared.pacing.store_clock import StoreClock
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.script_runner import ScriptRunner
from bse_shared.redis_edge.scripts import BLOCK_SOURCE, SPEND_BUDGET


@dataclass(frozen=True, slots=True)
class Budget:
    """`rate_per_s` requests a second in the long run, `burst` at once."""

    rate_per_s: float
    burst: int


class SourceBudgets:
    """The budgets of all sources by name."""

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        store_clock: StoreClock,
        budgets: Mapping[str, Budget],
    ):
        self._scripts = ScriptRunner(redis, clock, store_clock)
        self._budgets = dict(budgets)

    async def spend(self, source: str) -> float:
        """Take one request out of the budget: 0, or after how many seconds to try again."""
        budget = self._budgets[source]
        args = [1000 / budget.rate_per_s, budget.burst]
        names = [keys.source_budget(source)]
        (reply,) = await self._scripts.run([(SPEND_BUDGET, names, args)])
        return int(reply[1]) / 1000

    async def block(self, source: str, wait_s: float) -> None:
        """Nobody asks the source for so long (it never shortens a wait)."""
        args = [int(wait_s * 1000)]
        await self._scripts.run([(BLOCK_SOURCE, [keys.source_budget(source)], args)])
