"""The Python side of the load generator `c/load.c`: who connects how, and what came."""

import json
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from bse_bench.processes import Child, Unfit, running
from bse_bench.toolchain import c_program


CONNECT_WITHIN_S = 120.0

REST_US = 1000
"""The generator looks at its sockets so often: no server pays for waking it at each send()."""


@dataclass(frozen=True, slots=True)
class Door:
    """How clients speak to a server, and how their messages are told and counted."""

    options: tuple[str, ...] = ()
    path: str = "/"
    protocol: str = ""


HUB_MSGPACK = Door(
    ("--text", "0", "--msgpack", "1", "--ready", "subscribed"),
    "/ws",
    "bse.v1.msgpack",
)
HUB_JSON = Door(
    (
        *("--ready", '"subscribed"', "--match", '{"type":"update"'),
        *("--rows", '"from":', "--stamp", '"received_at_ms":'),
    ),
    "/ws",
    "bse.v1.json",
)
HUB_SOCKETIO = Door(
    (
        *("--socketio", "1", "--ready", '430[{"type":"subscribed"'),
        *(
            "--match",
            '42["update"',
            "--rows",
            '"from":',
            "--stamp",
            '"received_at_ms":',
        ),
    ),
    "/socket.io/?EIO=4&transport=websocket",
)
SOCKETIO = Door(
    ("--socketio", "1", "--ready", "430[", "--match", '42["u"'),
    "/socket.io/?EIO=4&transport=websocket",
)
PLAIN = Door()
NATS = Door(("--text", "0", "--ready", "PONG", "--match", "MSG ", "--rows", "MSG "))


@dataclass(frozen=True, slots=True)
class Counts:
    """What came between two marks. `messages` are updates, `frames` everything.

    Percentiles: `latency_ms` since the publisher's stamp, `tick_ms` since the hub's tick that sent it began.
    """

    ms: float
    frames: int
    messages: int
    rows: int
    bytes: int
    largest: int
    closed: int
    close_code: int
    cpu_ms: float
    latency_ms: dict[str, float]
    tick_ms: dict[str, float]


class Load:
    """A running load generator whose clients are all subscribed."""

    def __init__(self, child: Child):
        self._child = child

    def mark(self) -> Counts:
        """The counts since the last mark."""
        found: dict[str, Any] = json.loads(self._child.ask("mark"))
        return Counts(**found)

    def stall(self, count: int) -> None:
        """The first clients stop reading."""
        self._child.ask(f"stall {count}")

    def drip(self, count: int, bytes_per_100_ms: int) -> None:
        """The first clients read slowly."""
        self._child.ask(f"drip {count} {bytes_per_100_ms}")


@contextmanager
def load(
    port: int, door: Door, clients: int, messages: Sequence[bytes] = ()
) -> Iterator[Load]:
    """So many clients, connected and subscribed, until the block ends; client i sends message i modulo count."""
    with tempfile.NamedTemporaryFile(prefix="bse-bench-") as file:
        for message in messages:
            file.write(struct.pack("<I", len(message)) + message)
        file.flush()
        line = [
            *(c_program("load"), "--port", str(port), "--clients", str(clients)),
            *("--path", door.path, "--protocol", door.protocol, *door.options),
            *("--rest-us", str(REST_US)),
            *(("--messages", Path(file.name)) if messages else ()),
        ]
        with running("load generator", line) as child:
            told = json.loads(child.line(CONNECT_WITHIN_S))
            if told["failed"]:
                raise Unfit(f"{told['failed']} of {clients} clients could not connect")
            yield Load(child)


def hub_subscribe(door: Door, symbols: Sequence[str], *fields: str) -> bytes:
    """The hub's subscribe command as this door wants it: mode `quote`, or these fields."""
    wanted = {"fields": list(fields)} if fields else {"mode": "quote"}
    if door is HUB_SOCKETIO:
        argument = {"symbols": list(symbols), **wanted}
        return f'420["subscribe",{json.dumps(argument)}]'.encode()
    command = {"op": "subscribe", "id": 1, "symbols": list(symbols), **wanted}
    if door is HUB_JSON:
        return json.dumps(command).encode()
    packed: bytes = msgpack.packb(command)
    return packed
