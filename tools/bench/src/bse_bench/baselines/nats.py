"""Baseline: nats-server's WebSocket door, one subject a symbol, and the publisher that feeds it.

Run as a module it is the publisher: `nats PORT` obeys the orders of all baselines; COUNT 0 publishes to the one
subject that everybody has, else to COUNT symbols drawn at random.
"""

import asyncio
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bse_bench.baselines.orders import obey
from bse_bench.processes import Child, Unfit, running
from bse_bench.toolchain import nats_server
from bse_local_stack.ports import free_ports


SYMBOLS = 1000
START_WITHIN_S = 10.0
HELLO = (
    b'CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"1",'
    b'"protocol":1,"echo":false}\r\n'
)


@contextmanager
def running_nats() -> Iterator[tuple[Child, Child, int]]:
    """The server, its publisher and the server's WebSocket port."""
    port, ws_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="bse-bench-") as directory:
        config = Path(directory) / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{port}"\nping_interval: "10m"\n'
            f'websocket {{ listen: "127.0.0.1:{ws_port}", no_tls: true }}\n',
            encoding="ascii",
        )
        with running("nats-server", [nats_server(), "-c", config]) as server:
            _connect(port, server).close()
            line = [sys.executable, "-m", "bse_bench.baselines.nats", str(port)]
            with running("nats publisher", line) as publisher:
                publisher.line()
                yield server, publisher, ws_port


def subscription(symbols: list[int] | None) -> bytes:
    """What a client sends: its subjects, and a PING whose PONG says that they are taken."""
    subjects = ["market"] if symbols is None else [f"s{i}" for i in symbols]
    lines = [f"SUB {subject} {i}\r\n" for i, subject in enumerate(subjects, 1)]
    return HELLO + "".join(lines).encode() + b"PING\r\n"


def _connect(port: int, server: Child | None = None) -> socket.socket:
    ends = time.monotonic() + START_WITHIN_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > ends or (server and not server.alive()):
                raise Unfit("nats-server does not listen") from None
            time.sleep(0.05)


def _batch(count: int, payload: str) -> bytes:
    subjects = (
        [f"s{i}" for i in random.sample(range(SYMBOLS), count)] if count else ["market"]
    )
    size, data = len(payload), payload
    return "".join(f"PUB {s} {size}\r\n{data}\r\n" for s in subjects).encode()


async def publish(port: int) -> None:
    """Publish as ordered until standard input ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def tick(count: int, payload: str) -> None:
        writer.write(_batch(count, payload))
        await writer.drain()

    async def answer_pings() -> None:
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")

    writer.write(HELLO)
    print("ready", flush=True)
    async with asyncio.TaskGroup() as group:
        answering = group.create_task(answer_pings())
        await obey(tick)
        answering.cancel()


if __name__ == "__main__":
    asyncio.run(publish(int(sys.argv[1])))
