"""Supervised loops: named, watched, backing off. A loop that ends is a bug, and a bug ends the process."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, Counter

from bse_shared.pacing.backoff import TransientError, full_jitter_s
from bse_shared.service.health import Health


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Loop:
    """A step to repeat for ever, `interval_s` after its last end.

    `silence_max_s`: no finished step for so long means stuck (the liveness probe fails). None where a step
    is itself endless and bounds its own silence.
    """

    name: str
    step: Callable[[], Awaitable[None]]
    interval_s: float = 0.0
    silence_max_s: float | None = 30.0


class LoopMetrics:
    """Steps done and failed, by loop."""

    def __init__(self, registry: CollectorRegistry):
        self.steps = Counter(
            "loop_steps", "Steps finished, by loop.", ["loop"], registry=registry
        )
        self.failures = Counter(
            "loop_failures", "Steps that failed, by loop.", ["loop"], registry=registry
        )


async def run_loop(loop: Loop, health: Health, metrics: LoopMetrics) -> None:
    """Repeat the step. A TransientError backs off with jitter; any other error is a bug and goes up."""
    # The pause between two steps is no silence.
    silent_s = loop.silence_max_s
    health.watch(loop.name, None if silent_s is None else silent_s + loop.interval_s)
    failures = 0
    while not _cancelled():
        try:
            await loop.step()
        except TransientError as error:
            failures += 1
            health.failed(loop.name, str(error))
            metrics.failures.labels(loop.name).inc()
            if failures & (failures - 1) == 0:  # 1st, 2nd, 4th, 8th …: no log flood
                log.warning(
                    "loop.failing", loop=loop.name, error=str(error), times=failures
                )
            await asyncio.sleep(full_jitter_s(failures, random.random, max_s=2))
            continue
        except Exception as error:
            error.add_note(f"in the loop {loop.name!r}")
            raise
        if failures:
            log.info("loop.recovered", loop=loop.name, after=failures)
            failures = 0
        health.progressed(loop.name)
        metrics.steps.labels(loop.name).inc()
        await asyncio.sleep(loop.interval_s)
    raise asyncio.CancelledError


def _cancelled() -> bool:
    """Whether the loop was to end, and its step swallowed that (the Redis driver does while it takes a connection)."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
