"""Time as an argument of the edge. Only `RealTiming` reads the event loop's clock."""

import asyncio
from typing import Protocol


class Timing(Protocol):
    """What the edge does with time."""

    def now_ms(self) -> float:
        """Milliseconds that never run backwards."""
        ...

    async def sleep_s(self, seconds: float) -> None:
        """Return after so long."""
        ...

    def timeout_s(self, seconds: float | None) -> asyncio.Timeout:
        """A context that ends with TimeoutError after so long; None: never."""
        ...


class RealTiming:
    """The clock of the running event loop."""

    def now_ms(self) -> float:
        """Milliseconds that never run backwards."""
        return asyncio.get_running_loop().time() * 1000

    async def sleep_s(self, seconds: float) -> None:
        """Return after so long."""
        await asyncio.sleep(seconds)

    def timeout_s(self, seconds: float | None) -> asyncio.Timeout:
        """A context that ends with TimeoutError after so long; None: never."""
        return asyncio.timeout(seconds)
