"""Time that stands still until a test moves it."""

import asyncio


class ManualTiming:
    """A `Timing` whose sleeps and time-outs end when `advance` passes them."""

    def __init__(self, now_ms: float = 1_000_000.0):
        self._now_ms = now_ms
        self._timeouts: list[tuple[float, asyncio.Timeout]] = []

    def now_ms(self) -> float:
        """What the clock shows."""
        return self._now_ms

    async def sleep_s(self, seconds: float) -> None:
        """Return once time was moved so far; at once for 0."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with self.timeout_s(seconds):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return

    def timeout_s(self, seconds: float | None) -> asyncio.Timeout:
        """A context that ends with TimeoutError once time was moved so far."""
        timeout = asyncio.timeout(None)
        if seconds is not None:
            self._timeouts.append((self._now_ms + seconds * 1000, timeout))
        return timeout

    def advance(self, by_ms: float) -> None:
        """Move the clock, and end what is due."""
        self._now_ms += by_ms
        due = [item for item in self._timeouts if item[0] <= self._now_ms]
        self._timeouts = [item for item in self._timeouts if item[0] > self._now_ms]
        for _, timeout in due:
            _end(timeout)


def _end(timeout: asyncio.Timeout) -> None:
    try:
        timeout.reschedule(asyncio.get_running_loop().time())
    except RuntimeError:
        return  # its context was left long ago
