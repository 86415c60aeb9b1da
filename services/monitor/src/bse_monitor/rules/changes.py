"""What is different between two verdicts: the news of a look."""

from dataclasses import dataclass

from bse_monitor.rules.status import Status


OVERALL = "overall"
NEVER_SEEN = "unknown"


@dataclass(frozen=True, slots=True)
class StateChange:
    """A part of the tree, or the whole, is not what it was. `reasons` are those of its new state."""

    part: str
    was: str
    now: str
    reasons: tuple[str, ...]


def changes(before: Status | None, after: Status) -> tuple[StateChange, ...]:
    """The parts whose state differs; all of them where nothing was known before."""
    was = _states(before) if before else {}
    return tuple(
        StateChange(part, was.get(part, (NEVER_SEEN, ()))[0], state, reasons)
        for part, (state, reasons) in _states(after).items()
        if was.get(part, (NEVER_SEEN, ()))[0] != state
    )


def _states(status: Status) -> dict[str, tuple[str, tuple[str, ...]]]:
    parts = {name: (part.state, part.reasons) for name, part in status.parts().items()}
    return {OVERALL: (status.health.value, status.reasons), **parts}
