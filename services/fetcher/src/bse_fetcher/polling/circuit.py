"""A circuit breaker: after a few failures in a row nobody asks any more, but for one probe now and then. Pure.

Closed (asking is allowed), open (it is not), half-open (one probe is under way, or due). An outage is probed once
an interval, so that a source that heals is used again within one; a block (403) is probed seldom, for quick retries
prolong it, and a pause that the source asks for (429) is kept to the millisecond.

Failed tries are counted, so that retries do not multiply what an ailing source has to bear; but only another call's
failure opens it: one batch that always fails must not stop the others, whose answers come in between. Calls that
were under way when it opened change nothing any more: neither do they prolong the wait, nor end a block.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


FORBIDDEN_MAX_S = 1800.0


class State(StrEnum):
    """Whether asking is allowed."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class CircuitRules:
    """When a circuit opens, and how long until its probes."""

    opens_after: int = 3
    probe_after_s: float = 3.0
    forbidden_s: float = 60.0


class Circuit:
    """The circuit of one endpoint of one source. Times are monotonic milliseconds."""

    def __init__(self, rules: CircuitRules, rng: Callable[[], float]):
        """`rng` gives [0, 1): the jitter of the probes."""
        self.failures = 0
        self.opened = 0  # how often it went from closed to open
        self._rules = rules
        self._rng = rng
        self._refusals = 0
        self._open_until_ms: float | None = None
        self._spared_until_ms = -math.inf  # the source's own word
        self._probing = False

    def state(self, now_ms: float) -> State:
        """Where it stands."""
        if self._open_until_ms is None:
            return State.CLOSED
        if self._probing or now_ms >= self._open_until_ms:
            return State.HALF_OPEN
        return State.OPEN

    def closed_in_s(self, now_ms: float) -> float:
        """How long until somebody may ask; 0 for now."""
        if self._open_until_ms is None:
            return 0.0
        return max(0.0, (self._open_until_ms - now_ms) / 1000)

    def try_start(self, now_ms: float) -> bool:
        """Whether to ask now. If so, tell the outcome: a half-open circuit lets nobody else through until then."""
        if self._open_until_ms is None:
            return True
        if self._probing or now_ms < self._open_until_ms:
            return False
        self._probing = True
        return True

    def succeeded(self, now_ms: float) -> None:
        """The source answered."""
        if now_ms < self._spared_until_ms:
            return  # asked before the source said that it wants to be left alone
        self.failures = self._refusals = 0
        self._open_until_ms = None
        self._probing = False

    def gave_up(self) -> None:
        """Nobody knows how the call would have ended: it was cancelled."""
        self._probing = False

    def failed(self, now_ms: float, *, again: bool = False) -> None:
        """No answer, or a useless one; `again`: to a call whose earlier try had failed as well."""
        self.failures += 1
        if self._open_until_ms is not None and not self._probing:
            return
        if self._probing or (self.failures >= self._rules.opens_after and not again):
            # At most the interval: a source that heals is used again within one.
            self._open(now_ms, self._rules.probe_after_s * (0.8 + 0.2 * self._rng()))

    def asked_to_wait(self, now_ms: float, wait_s: float) -> None:
        """The source wants a pause (Retry-After): a little more than that, so as not to be early."""
        self.failures += 1
        self._spare(now_ms, wait_s * (1 + 0.1 * self._rng()))

    def forbidden(self, now_ms: float) -> float:
        """The source blocks us; how long it is left alone, in seconds."""
        self.failures += 1
        if self._refusals and now_ms < self._spared_until_ms:
            return self.closed_in_s(now_ms)  # the same block, told to several calls
        self._refusals += 1
        wait_s = self._rules.forbidden_s * 2.0 ** min(self._refusals - 1, 16)
        wait_s = min(wait_s, FORBIDDEN_MAX_S) * (0.8 + 0.4 * self._rng())
        self._spare(now_ms, wait_s)
        return wait_s

    def _spare(self, now_ms: float, wait_s: float) -> None:
        """Leave the source alone as it wants; what it said before stands."""
        until_ms = max(self._spared_until_ms, now_ms + wait_s * 1000)
        self._spared_until_ms = until_ms
        self._open(now_ms, (until_ms - now_ms) / 1000)

    def _open(self, now_ms: float, wait_s: float) -> None:
        self.opened += self._open_until_ms is None
        self._probing = False
        self._open_until_ms = now_ms + wait_s * 1000
