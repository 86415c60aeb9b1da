"""1,000 clients that all watch the same: what one delivery of about 100 bytes costs each server."""

from bse_bench.baselines.nats import subscription
from bse_bench.fanout.contest import Contender, Result, contest
from bse_bench.fanout.plan import Plan
from bse_bench.load import (
    HUB_JSON,
    HUB_MSGPACK,
    HUB_SOCKETIO,
    NATS,
    PLAIN,
    SOCKETIO,
    hub_subscribe,
)
from bse_bench.publisher import PAIR_SYMBOLS
from bse_bench.report import Row, at_most, below
from bse_bench.subjects import c_floor, hub, nats, node, python_socketio


FLOOR_RATIO_MAX = 1.35
PYTHON_SOCKETIO_RATIO_MAX = 0.2

HZ = 30
PYTHON_SOCKETIO_HZ = 8
"""It can't do more."""

FLOOR, EMIT = "C send() loop", "python-socketio emit"
NODE_SOCKETIO, NATS_SERVER = "Node socket.io", "nats-server WebSocket"
RAW, SIO = "ws-hub raw MessagePack", "ws-hub Socket.IO"

ONE_SYMBOL = PAIR_SYMBOLS[:1]
"""One scrip's price as a Socket.IO event is the shortest that there is: 150 bytes."""

_JOIN = [b'420["subscribe",["market"]]']

CONTENDERS = [
    Contender(FLOOR, c_floor, PLAIN, (), HZ),
    Contender(RAW, hub, HUB_MSGPACK, [hub_subscribe(HUB_MSGPACK, PAIR_SYMBOLS)], HZ),
    Contender(
        "ws-hub raw JSON", hub, HUB_JSON, [hub_subscribe(HUB_JSON, PAIR_SYMBOLS)], HZ
    ),
    Contender(
        SIO, hub, HUB_SOCKETIO, [hub_subscribe(HUB_SOCKETIO, ONE_SYMBOL, "last")], HZ
    ),
    Contender("Node ws", lambda: node("ws"), PLAIN, (), HZ),
    Contender(NODE_SOCKETIO, lambda: node("socketio"), SOCKETIO, _JOIN, HZ),
    Contender(NATS_SERVER, nats, NATS, [subscription(None)], HZ),
    Contender(EMIT, python_socketio, SOCKETIO, _JOIN, PYTHON_SOCKETIO_HZ),
]


def shared_set(plan: Plan) -> list[Row]:
    """The rows."""
    results, rows = contest(CONTENDERS, plan, per="message")
    for name, result in results.items():
        rows.append(Row(f"delivery, {name}", result.net_us, "us"))
        if name.startswith("ws-hub"):
            rows += _of_hub(name, result)
    for door in (RAW, SIO):
        rows += _ratios(door, results)
    return rows


def _of_hub(name: str, result: Result) -> list[Row]:
    rows = [
        Row(f"  with the idle cost, {name}", result.gross_us, "us"),
        Row(f"  idle, {name}", result.idle_core * 1000, "ms CPU/s"),
    ]
    if result.p99_ms is not None:
        rows.append(Row(f"  publisher to client p99, {name}", result.p99_ms, "ms"))
    return rows


def _ratios(door: str, results: dict[str, Result]) -> list[Row]:
    bounds = [
        (FLOOR, at_most, FLOOR_RATIO_MAX),
        (EMIT, at_most, PYTHON_SOCKETIO_RATIO_MAX),
        (NODE_SOCKETIO, below, 1),
        (NATS_SERVER, below, 1),
    ]
    return [
        row(
            f"delivery, {door} / {other}",
            results[door].net_us / results[other].net_us,
            "x",
            bound,
        )
        for other, row, bound in bounds
        if door in results and other in results
    ]
