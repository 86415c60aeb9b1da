"""Whether this process lives and is ready: state that loops leave behind. Probes read it and do no I/O."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bse_shared.pacing.clock import Clock


@dataclass(slots=True)
class LoopHealth:
    """What is known of one loop. `silence_max_s` None: a step is endless and bounds its own silence.

    Such a loop finishes no step after it recovered; its owner tells in `not_ready` how it does.
    """

    silence_max_s: float | None
    progressed_ms: float
    failures: int = 0
    last_error: str = ""


@dataclass(slots=True)
class Health:
    """The state behind the probes."""

    clock: Clock
    not_ready: Callable[[], list[str]] = list
    draining: bool = False
    loops: dict[str, LoopHealth] = field(default_factory=dict)

    def watch(self, name: str, silence_max_s: float | None) -> None:
        """Expect progress of a loop from now on."""
        self.loops[name] = LoopHealth(silence_max_s, self.clock.monotonic_ms())

    def progressed(self, name: str) -> None:
        """The loop finished a step."""
        loop = self.loops[name]
        loop.progressed_ms = self.clock.monotonic_ms()
        loop.failures = 0

    def failed(self, name: str, error: str) -> None:
        """The loop's step failed in a way that may pass: it lives, and tries again."""
        loop = self.loops[name]
        loop.progressed_ms = self.clock.monotonic_ms()
        loop.failures += 1
        loop.last_error = error

    def stuck(self) -> list[str]:
        """Loops without progress for longer than they may be: only a restart helps these."""
        now_ms = self.clock.monotonic_ms()
        return [
            f"{name}: no progress for {(now_ms - loop.progressed_ms) / 1000:.0f} s"
            for name, loop in self.loops.items()
            if loop.silence_max_s is not None
            and now_ms - loop.progressed_ms > loop.silence_max_s * 1000
        ]

    def reasons(self) -> list[str]:
        """Why this instance should get no traffic; empty when it is ready."""
        failing = [
            f"{name}: {loop.last_error}"
            for name, loop in self.loops.items()
            if loop.failures > 2  # noqa: PLR2004 - a single blip is not a reason
            and loop.silence_max_s is not None
        ]
        draining = ["draining"] if self.draining else []
        return [*draining, *self.not_ready(), *failing]
