"""Who had the processors: the kernel's own account of each process, of the benchmark's and of all others.

A latency that was measured while other programs ran tells of them as much as of ours, so it is said which was which.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Used:
    """Milliseconds of processor time: of one process, what it waited for a core, and of programs that are not ours."""

    own_ms: float
    waited_ms: float
    foreign_ms: float

    def since(self, before: "Used") -> "Used":
        """What was used between two looks."""
        return Used(
            self.own_ms - before.own_ms,
            self.waited_ms - before.waited_ms,
            self.foreign_ms - before.foreign_ms,
        )


class Machine:
    """Looks at the accounts. A foreign process that ends between two looks takes its time with it: a lower bound."""

    def __init__(self, pid: int):
        """`pid`: the process that is measured; ours are this one and all below it."""
        self._pid = pid
        self._foreign: dict[int, float] = {}

    def look(self) -> Used:
        """What was used up to now, by the processes of now."""
        ours = self._ours()
        own_ms, waited_ms = _account(self._pid)
        for pid in _pids():
            if pid not in ours:
                self._foreign[pid] = _account(pid)[0]
        return Used(own_ms, waited_ms, sum(self._foreign.values()))

    def _ours(self) -> set[int]:
        parents = {pid: _parent(pid) for pid in _pids()}
        ours = {os.getpid()}
        while more := {p for p, above in parents.items() if above in ours} - ours:
            ours |= more
        return ours


def _pids() -> list[int]:
    return [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()
    ]


def _parent(pid: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        # The name, in brackets, may hold anything.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _account(pid: int) -> tuple[float, float]:
    """Ran and waited, all threads."""
    ran = waited = 0.0
    with suppress(OSError, ValueError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            fields = (task / "schedstat").read_text().split()
            ran += int(fields[0]) / NS_PER_MS
            waited += int(fields[1]) / NS_PER_MS
    return ran, waited
