"""Supervised loops in simulated time."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from bse_shared.pacing.backoff import TransientError
from bse_shared.service.health import Health
from bse_shared.service.loops import Loop, LoopMetrics, run_loop


pytestmark = pytest.mark.looptime


class TheEnd(Exception):
    """How a test leaves an endless loop: any other error is a bug and goes up."""


class LoopClock:
    """The event loop's simulated time as a clock."""

    def monotonic_ms(self):
        """Milliseconds since the test began."""
        return asyncio.get_running_loop().time() * 1000

    def wall_ms(self):
        """The same."""
        return int(self.monotonic_ms())


class Steps:
    """A step that takes what it is told: an error to raise, or seconds to take. Then it ends the loop."""

    def __init__(self, *outcomes):
        self.starts = []
        self._outcomes = list(outcomes)

    async def __call__(self):
        self.starts.append(asyncio.get_running_loop().time())
        if not self._outcomes:
            raise TheEnd
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        await asyncio.sleep(outcome)

    @property
    def waits(self):
        """The time between starts."""
        return [b - a for a, b in zip(self.starts, self.starts[1:], strict=False)]


class Run:
    """A loop run to its end, and what it left behind."""

    def __init__(self, *outcomes, **loop):
        self.health = Health(LoopClock())
        self.registry = CollectorRegistry()
        self.steps = Steps(*outcomes)
        self.loop = Loop("tiny", self.steps, **loop)
        self.lines = []

    async def to_the_end(self):
        """Run until the step ends it."""
        with capture_logs() as self.lines, pytest.raises(TheEnd):
            await run_loop(self.loop, self.health, LoopMetrics(self.registry))
        return self

    def count(self, name):
        """A counter of this loop."""
        return self.registry.get_sample_value(f"{name}_total", {"loop": "tiny"}) or 0

    @property
    def events(self):
        """What was logged."""
        return [line["event"] for line in self.lines]


def away(times):
    """So many failures that may pass."""
    return [TransientError("store away")] * times


async def test_a_step_is_repeated_after_its_interval():
    """The pause counts from the end of a step."""
    run = await Run(0, 2, 0, interval_s=5).to_the_end()

    assert [5, 7, 5] == pytest.approx(run.steps.waits)
    assert 3 == run.count("loop_steps")
    assert [] == run.events


async def test_failures_back_off_within_growing_bounds():
    """A quarter of a second after the first, doubling to two seconds; jitter takes any part of it."""
    run = await Run(*away(60), interval_s=1).to_the_end()

    bounds = [min(2, 0.25 * 2**n) for n in range(60)]
    assert all(
        0 <= wait <= bound + 1e-9
        for wait, bound in zip(run.steps.waits, bounds, strict=True)
    )
    assert max(run.steps.waits[4:]) > 0.5
    assert len(set(run.steps.waits)) > 50
    assert 60 == run.count("loop_failures")
    assert 0 == run.count("loop_steps")


async def test_a_loop_recovers():
    """After a success the interval is the usual one, and the next failure is a first one."""
    run = await Run(*away(6), 0, *away(1), 0, interval_s=3).to_the_end()

    assert 3 == pytest.approx(run.steps.waits[6])
    assert run.steps.waits[7] <= 0.25 + 1e-9
    assert 3 == pytest.approx(run.steps.waits[8])
    assert [] == run.health.reasons()
    assert ["loop.recovered"] * 2 == [e for e in run.events if "recovered" in e]


async def test_failures_are_no_log_flood():
    """The 1st, 2nd, 4th, 8th … of them get a line."""
    run = await Run(*away(100)).to_the_end()

    assert [1, 2, 4, 8, 16, 32, 64] == [line["times"] for line in run.lines]


async def test_a_failing_loop_is_not_ready_but_alive():
    """However long the store is away."""
    run = await Run(*away(1000), silence_max_s=30).to_the_end()

    assert asyncio.get_running_loop().time() > 600
    assert [] == run.health.stuck()
    assert ["tiny: store away"] == run.health.reasons()


async def test_a_step_that_never_ends_is_stuck():
    """No progress for longer than it may take."""
    run = Run(100, silence_max_s=30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run.to_the_end(), 31)

    assert ["tiny: no progress for 31 s"] == run.health.stuck()


async def test_a_long_interval_is_no_silence():
    """A loop that runs once an hour is not stuck in between."""
    run = Run(0, interval_s=3600, silence_max_s=30)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run.to_the_end(), 3599)

    assert [] == run.health.stuck()


async def test_a_bug_goes_up_at_once_and_names_its_loop():
    """Anything but a TransientError is not tried again."""
    run = Run(0, KeyError("the bug"), 0)
    with pytest.raises(KeyError) as caught:
        await run.to_the_end()

    assert 2 == len(run.steps.starts)
    assert ["in the loop 'tiny'"] == caught.value.__notes__


async def test_a_loop_ends_when_it_is_cancelled():
    """Shutdown reaches it in its step, its pause and its back-off."""
    for outcomes in ([100], [0], away(3)):
        run = Run(*outcomes, interval_s=100)
        task = asyncio.ensure_future(run.to_the_end())
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_step_that_swallows_its_end_still_ends_the_loop():
    """The Redis driver does so while it takes a connection out of its pool."""
    started = asyncio.Event()

    async def swallow():
        started.set()
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return

    health, metrics = Health(LoopClock()), LoopMetrics(CollectorRegistry())
    loop = asyncio.ensure_future(run_loop(Loop("a", swallow), health, metrics))
    await started.wait()
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
