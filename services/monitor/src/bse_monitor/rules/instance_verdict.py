"""Judges one instance by its heartbeat and by its answer to the probe."""

from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import Answer, InstanceSeen, Probe
from bse_monitor.rules.status import InstanceState, InstanceStatus
from bse_monitor.rules.words import clip_all, span
from bse_shared.wire.records import Heartbeat


_STATE_OF_ANSWER = {
    Answer.READY: InstanceState.UP,
    Answer.NOT_READY: InstanceState.DEGRADED,
    Answer.SLOW: InstanceState.DEGRADED,
    Answer.GARBLED: InstanceState.DEGRADED,
    Answer.UNREACHABLE: InstanceState.DOWN,
}


def is_missing(heartbeat: Heartbeat, read_at_ms: int, limits: Limits) -> bool:
    """Whether the heartbeat, read at `read_at_ms`, is too old.

    One dated too far ahead means that a clock stepped back: it says nothing about now.
    """
    return abs(read_at_ms - heartbeat.at_ms) > limits.missing_after_ms


def judge_instance(
    seen: InstanceSeen, read_at_ms: int, limits: Limits
) -> InstanceStatus:
    """The verdict on an instance whose heartbeat was read at `read_at_ms`."""
    heartbeat = seen.heartbeat
    age_ms = read_at_ms - heartbeat.at_ms
    if is_missing(heartbeat, read_at_ms, limits):
        return InstanceStatus(
            InstanceState.MISSING, (_why_missing(age_ms),), age_ms, seen
        )
    state, reasons = _of_probe(seen.probe)
    if state is InstanceState.UP and not heartbeat.ready:
        state = InstanceState.DEGRADED
        reasons = clip_all(heartbeat.reasons) or ("it says that it is not ready",)
    return InstanceStatus(state, reasons, age_ms, seen)


def _why_missing(age_ms: float) -> str:
    if age_ms < 0:
        return f"its heartbeat is dated {span(age_ms)} ahead of the store's clock"
    return f"no heartbeat for {span(age_ms)}"


def _of_probe(probe: Probe | None) -> tuple[InstanceState, tuple[str, ...]]:
    if probe is None:
        return InstanceState.UP, ()
    state = _STATE_OF_ANSWER[probe.answer]
    if state is InstanceState.UP:
        return state, ()
    return state, clip_all(probe.reasons) or (f"its /readyz is {probe.answer.value}",)
