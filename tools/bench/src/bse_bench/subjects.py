"""A server under measurement with what feeds it: started, measured in windows, stopped."""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bse_bench.baselines.nats import running_nats
from bse_bench.load import Counts, Load
from bse_bench.processes import Child, Unfit, running
from bse_bench.toolchain import c_program, node_server
from bse_local_stack.ports import free_ports
from bse_local_stack.redis_server import find_server


SETTLE_S = 0.4
READY_WITHIN_S = 20.0
STARTS_MAX = 3
PAYLOAD_BYTES = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """A server process, the process that feeds it (the same, where the server makes its own ticks), its port."""

    server: Child
    source: Child
    port: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a server used and its clients got in a stretch of time."""

    cpu_s: float
    seconds: float
    counts: Counts

    @property
    def core(self) -> float:
        """Cores used."""
        return self.cpu_s / self.seconds


def window(subject: Subject, load: Load, seconds: float) -> Window:
    """Measure what happens now."""
    load.mark()
    began_s, began_cpu_s = time.monotonic(), subject.server.cpu_s()
    time.sleep(seconds)
    ended_cpu_s, ended_s = subject.server.cpu_s(), time.monotonic()
    return Window(ended_cpu_s - began_cpu_s, ended_s - began_s, load.mark())


def ticking(
    subject: Subject, load: Load, hz: float, seconds: float, *, changed: int = 0
) -> Window:
    """Measure so many ticks a second: to everybody, or to the subscribers of `changed` symbols each."""
    size = ROW_BYTES if changed else PAYLOAD_BYTES
    subject.source.ask(f"go {hz} {changed} {'x' * size}")
    try:
        time.sleep(SETTLE_S)
        return window(subject, load, seconds)
    finally:
        subject.source.ask("pause")
        time.sleep(SETTLE_S)


ROW_BYTES = 45
"""About one scrip's update in the hub's MessagePack, so that all carry about as much."""


@contextmanager
def c_floor() -> Iterator[Subject]:
    """The bare send() loop."""
    with running("C send() loop", [c_program("floor"), str(PAYLOAD_BYTES)]) as child:
        yield Subject(child, child, int(child.line()))


@contextmanager
def node(kind: str) -> Iterator[Subject]:
    """Node `ws` or Socket.IO."""
    with running(f"Node {kind}", [*node_server(), kind]) as child:
        yield Subject(child, child, int(child.line()))


@contextmanager
def python_socketio() -> Iterator[Subject]:
    """python-socketio under uvicorn."""
    line = [sys.executable, "-m", "bse_bench.baselines.python_socketio"]
    with running("python-socketio", line) as child:
        yield Subject(child, child, int(child.line()))


@contextmanager
def nats() -> Iterator[Subject]:
    """nats-server and its publisher."""
    with running_nats() as (server, publisher, port):
        yield Subject(server, publisher, port)


@contextmanager
def hub() -> Iterator[Subject]:
    """The real hub, on a store of its own, fed by a publisher of its own."""
    with (
        store() as url,
        running(
            "publisher", [sys.executable, "-m", "bse_bench.publisher", url]
        ) as source,
        ExitStack() as stack,
    ):
        source.line()
        server, port = _started_hub(stack, url)
        yield Subject(server, source, port)


@contextmanager
def store() -> Iterator[str]:
    """A Redis-compatible server that keeps nothing and dies with us; its URL."""
    (port,) = free_ports(1)
    line = [
        *(find_server(), "--bind", "127.0.0.1", "--port", str(port)),
        *("--save", "", "--appendonly", "no", "--loglevel", "notice"),
    ]
    with running("store", line) as child:
        while "eady to accept connections" not in child.line(READY_WITHIN_S):
            pass
        yield f"redis://127.0.0.1:{port}/0"


def _started_hub(stack: ExitStack, url: str) -> tuple[Child, int]:
    """A port that was free a moment ago may be a client's by now: try again."""
    line = [sys.executable, "-m", "bse_ws_hub"]
    for _ in range(STARTS_MAX):
        (port,) = free_ports(1)
        env = {
            "REDIS_URL": url,
            "HTTP_PORT": str(port),
            "LOG_LEVEL": "error",
            "AUTH_MODE": "off",  # thousands of streams from one address
        }
        server = stack.enter_context(running("ws-hub", line, env))
        if ready(server, port):
            return server, port
    raise Unfit("the hub did not start")


def metric(port: int, name: str) -> float:
    """The sum of a metric of the hub over its labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def ready(server: Child, port: int) -> bool:
    ends = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < ends and server.alive():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False
