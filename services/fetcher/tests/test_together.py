"""Errors of several tasks, as a supervised loop understands them."""

import pytest

from bse_fetcher.together import together
from bse_shared.pacing.backoff import TransientError


async def fails(error):
    """A task that fails so."""
    raise error


async def all_of(*errors):
    """Tasks that fail so, together."""
    async with together(), together() as group:
        for error in errors:
            group.create_task(fails(error))


async def test_an_absent_store_is_one_transient_error():
    """However many tasks met it, and however deep."""
    with pytest.raises(TransientError, match="away"):
        await all_of(*(TransientError("away") for _ in range(3)))


async def test_a_bug_stays_a_bug():
    """Also beside a transient error: the process must end loudly."""
    with pytest.raises(ExceptionGroup):
        await all_of(TransientError("away"), KeyError("bug"))
