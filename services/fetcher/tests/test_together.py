"""Errors of several tasks, as a supervised loop understands them."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from bse_fetcher.together import together
from bse_shared.pacing.backoff import TransientError
from bse_shared.service.health import Health
from bse_shared.service.loops import Loop, LoopMetrics, run_loop
from bse_shared.testing.fake_clock import FakeClock


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


async def fails_later(error, *, turns):
    """A task that fails after some turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    raise error


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("body_turns", [0, 3])
async def test_who_met_a_failure_does_not_count_as_cancelled(turns, body_turns):
    """Whether it failed during the body, between, or while it was waited for: a supervised loop goes on."""

    async def work():
        async with together() as group:
            group.create_task(asyncio.sleep(3600))
            group.create_task(fails_later(TransientError("away"), turns=turns))
            for _ in range(body_turns):
                await asyncio.sleep(0)

    with pytest.raises(TransientError):
        await work()

    assert 0 == asyncio.current_task().cancelling()


async def test_a_loop_goes_on_after_a_failure_of_several():
    """It backs off and steps again: nothing else would ever tell that it ended."""
    steps = asyncio.Queue()
    health = Health(FakeClock())

    async def step():
        steps.put_nowait("step")
        async with together() as group:
            group.create_task(fails_later(TransientError("away"), turns=3))

    loop = asyncio.ensure_future(
        run_loop(Loop("several", step), health, LoopMetrics(CollectorRegistry()))
    )
    async with asyncio.timeout(5):
        for _ in range(3):
            await steps.get()
    assert not loop.done()
    loop.cancel()
    await asyncio.wait([loop])


async def test_a_cancellation_from_outside_stays_one():
    """A process that ends must not be kept by what fails meanwhile."""
    begun = asyncio.Event()

    async def work():
        async with together() as group:
            group.create_task(asyncio.sleep(3600))
            begun.set()

    task = asyncio.ensure_future(work())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
