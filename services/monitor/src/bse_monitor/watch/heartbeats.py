"""Who sends heartbeats: read from the store, bounded in number, the expected services first."""

from collections.abc import Container

from bse_shared.redis_edge.instances import Instances
from bse_shared.wire.records import Heartbeat


class Heartbeats:
    """The newest heartbeat of each instance."""

    def __init__(
        self, instances: Instances, expected: Container[str], instances_max: int
    ):
        self._instances = instances
        self._expected = expected
        self._instances_max = instances_max

    async def read(self, now_ms: int) -> list[Heartbeat]:
        """All heartbeats of the last minutes. Raises StoreUnavailable.

        Beyond the limit, strangers and then the longest silent ones are left out.
        """
        found = await self._instances.all(now_ms)
        found.sort(key=lambda h: (h.service not in self._expected, -h.at_ms))
        return found[: self._instances_max]
