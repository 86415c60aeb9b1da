"""Several things at once, of which the store's absence looks as it does for one: a TransientError, not a group."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bse_shared.pacing.backoff import TransientError


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group; where only transient errors ended it, the first of them is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        transient, bugs = errors.split(TransientError)
        if transient is None or bugs is not None:
            raise
        raise _first(transient) from errors


def _first(group: BaseExceptionGroup[TransientError]) -> TransientError:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
