"""Holds requests back until the client leaves, the fault ends, or the server stops."""

import asyncio

from starlette.requests import Request


class HangingRequests:
    """Requests that wait on a fault."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._waiting: dict[int, set[asyncio.Event]] = {}

    async def hold(
        self, request: Request, fault_id: int, limit_s: float | None
    ) -> None:
        """Wait until the fault is released, the client is gone or time is up."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(fault_id, set())
        waiting.add(event)
        try:
            await _gone_or_freed(request, event, limit_s)
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(fault_id, None)

    def release(self, fault_id: int) -> bool:
        """Let go of the requests waiting on one fault; tell whether there were any."""
        waiting = self._waiting.pop(fault_id, set())
        for event in waiting:
            event.set()
        return bool(waiting)

    def release_all(self) -> None:
        """Let go of everybody."""
        for fault_id in list(self._waiting):
            self.release(fault_id)


async def _gone_or_freed(
    request: Request, event: asyncio.Event, limit_s: float | None
) -> None:
    async with asyncio.TaskGroup() as group:
        gone = group.create_task(until_gone(request))
        freed = group.create_task(event.wait())
        await asyncio.wait(
            {gone, freed}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED
        )
        gone.cancel()
        freed.cancel()


async def until_gone(request: Request) -> None:
    """Wait until the client's connection is closed."""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return
