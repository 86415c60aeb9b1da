"""Collects garbage between two answers instead of in the middle of one."""

from dataclasses import dataclass

from bse_fetcher.publisher import Publisher
from bse_shared.service.garbage import collect_in_a_pause


@dataclass(slots=True)
class Tidier:
    """Waits for a pause."""

    publisher: Publisher

    async def step(self) -> None:
        """Collect what is due, while nothing is being published."""
        await self.publisher.idle()
        collect_in_a_pause()
