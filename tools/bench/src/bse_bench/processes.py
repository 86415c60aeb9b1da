"""Processes of a benchmark: started, spoken to by lines, accounted by the operating system, always ended.

A child is in a session of its own (Ctrl-C reaches us alone), is told by the kernel when we die, and gets our
end as the end of its standard input.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


ANSWER_WITHIN_S = 60.0
END_WITHIN_S = 5.0
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Unfit(RuntimeError):
    """A process did not do what the measurement needs."""


class Child:
    """A running process that answers lines with lines."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", errors: Path):
        self.name = name
        self.pid = process.pid
        self._process = process
        self._errors = errors
        self._lines = b""

    def tell(self, line: str) -> None:
        """Send a line."""
        if self._process.stdin is None:
            raise Unfit(f"{self.name} has no standard input")
        try:
            os.write(self._process.stdin.fileno(), line.encode() + b"\n")
        except BrokenPipeError as error:
            raise Unfit(self.last_words()) from error

    def line(self, within_s: float = ANSWER_WITHIN_S) -> str:
        """The next line that it prints. Raises Unfit if it dies or keeps silent."""
        if self._process.stdout is None:
            raise Unfit(f"{self.name} has no standard output")
        out = self._process.stdout.fileno()
        ends = time.monotonic() + within_s
        while b"\n" not in self._lines:
            left_s = ends - time.monotonic()
            if left_s <= 0 or not select.select([out], [], [], left_s)[0]:
                raise Unfit(f"{self.name} said nothing for {within_s:g} s")
            found = os.read(out, 65536)
            if not found:
                raise Unfit(self.last_words())
            self._lines += found
        line, self._lines = self._lines.split(b"\n", 1)
        return line.decode()

    def ask(self, line: str, within_s: float = ANSWER_WITHIN_S) -> str:
        """Send a line, wait for the answer."""
        self.tell(line)
        return self.line(within_s)

    def cpu_s(self) -> float:
        """User + system time of all its threads so far, to the nanosecond."""
        return time.clock_gettime(_cpu_clock(self.pid))

    def rss_bytes(self) -> int:
        """Resident memory now."""
        resident = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()
        return int(resident[1]) * os.sysconf("SC_PAGE_SIZE")

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """What it said on standard error before it ended."""
        said = self._errors.read_text(errors="replace").strip().splitlines()
        return f"{self.name} ended: {' | '.join(said[-3:]) or 'without a word'}"


@contextmanager
def running(
    name: str, line: Sequence[str | Path], env: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """A child until the block ends, however it ends."""
    with tempfile.TemporaryDirectory(prefix="bse-bench-") as directory:
        errors = Path(directory) / "errors"
        with (
            errors.open("wb") as sink,
            subprocess.Popen(
                [str(part) for part in line],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - no threads use locks here
                bufsize=0,
            ) as process,
        ):
            try:
                yield Child(name, process, errors)
            finally:
                process.terminate()
                try:
                    process.wait(END_WITHIN_S)
                except subprocess.TimeoutExpired:
                    process.kill()


def interruptible() -> None:
    """Let SIGTERM unwind the blocks as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _end_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _cpu_clock(pid: int) -> int:
    """What clock_getcpuclockid(3) gives on Linux: the process's CPU clock, scheduler precision."""
    return (~pid << 3) | 2
