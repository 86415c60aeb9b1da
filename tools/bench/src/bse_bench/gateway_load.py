"""The Python side of the load generator `c/http_load.c`: which requests, how fast, and what came."""

import json
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from bse_bench.processes import Child, Unfit
from bse_bench.toolchain import c_program


WITHIN_S = 600


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of a run. Latencies of a run at a fixed rate count from when each request fell due."""

    answered: int
    errors: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float
    p999_ms: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run and the CPU that the server used for it."""

    answers: Answers
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return self.answers.answered / self.answers.seconds

    @property
    def cpu_us(self) -> float:
        """The server's CPU for a request."""
        return self.cpu_s / self.answers.answered * 1e6


def get(path: str, headers: Sequence[tuple[str, str]] = ()) -> bytes:
    """A GET request as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", "Host: gateway"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def measure(
    server: Child,
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float = 1e9,
    rate: float = 0,
    count: int = 1 << 60,
) -> Run:
    """Ask in turn, for so long or so often. Raises Unfit if anything but 200 came."""
    with tempfile.NamedTemporaryFile(prefix="bse-bench-") as file:
        for request in requests:
            file.write(struct.pack("<I", len(request)) + request)
        file.flush()
        line = [
            *(str(c_program("http_load")), "--file", file.name, "--port", str(port)),
            *("--connections", str(connections), "--rate", str(rate)),
            *("--seconds", str(seconds), "--requests", str(count)),
        ]
        began_cpu_s = server.cpu_s()
        done = subprocess.run(
            line, capture_output=True, text=True, check=False, timeout=WITHIN_S
        )
        cpu_s = server.cpu_s() - began_cpu_s
    if done.returncode:
        raise Unfit(f"the load generator ended: {done.stderr.strip()}")
    answers = Answers(**json.loads(done.stdout))
    if answers.errors or not answers.answered:
        raise Unfit(f"{answers.errors} of {answers.answered}: {done.stderr.strip()}")
    return Run(answers, cpu_s)
