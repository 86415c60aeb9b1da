"""Several things at once, of which the store's absence looks as it does for one: a TransientError, not a group."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Generator
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any, TypeVar

from bse_shared.pacing.backoff import TransientError


T = TypeVar("T")


class _Group(asyncio.TaskGroup):
    """A task group that can be waited for before its end.

    Python's (3.11) cancels its parent when a task fails, and takes that back unless the parent waits in the group's
    end already: then it counts as cancelled for ever, and a supervised loop takes that for the end of the process.
    """

    def __init__(self) -> None:
        super().__init__()
        self._under_way: set[asyncio.Task[Any]] = set()

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """As usual."""
        task = super().create_task(coro, name=name, context=context)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def all_done(self) -> None:
        """Wait until nothing is under way; cancelled when a task fails."""
        while self._under_way:
            await asyncio.wait(self._under_way)


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group; where only transient errors ended it, the first of them is raised."""
    try:
        async with _Group() as group:
            yield group
            await group.all_done()
    except ExceptionGroup as errors:
        transient, bugs = errors.split(TransientError)
        if transient is None or bugs is not None:
            raise
        raise _first(transient) from errors


def _first(group: BaseExceptionGroup[TransientError]) -> TransientError:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
