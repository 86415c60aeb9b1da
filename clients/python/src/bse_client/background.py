"""Structured background work behind `async with`: a failure of it ends the body, never goes unseen."""

import asyncio
from collections.abc import Coroutine


class Background:
    """One task in a group of its own."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._task: asyncio.Task[None] | None = None

    async def start(self, work: Coroutine[None, None, None]) -> None:
        """Begin; belongs into `__aenter__`."""
        await self._group.__aenter__()
        self._task = self._group.create_task(work)

    async def stop(self, error: BaseException | None) -> None:
        """End; belongs into `__aexit__`, with what ended the body.

        A failure of our work reaches the body as a cancellation, which the group turns back into
        that failure. Errors of the body itself are none of the group's business.
        """
        if self._task:
            self._task.cancel()
        if isinstance(error, asyncio.CancelledError):
            await self._group.__aexit__(type(error), error, error.__traceback__)
        else:
            await self._group.__aexit__(None, None, None)
