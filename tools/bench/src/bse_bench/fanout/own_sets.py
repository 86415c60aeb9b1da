"""1,000 clients with 50 of 1,000 symbols each, drawn at random, 25 updates a client and tick: CPU per symbol update."""

import json
import random

from bse_bench.baselines.nats import subscription
from bse_bench.fanout.contest import Contender, Result, contest
from bse_bench.fanout.plan import Plan
from bse_bench.load import (
    HUB_JSON,
    HUB_MSGPACK,
    HUB_SOCKETIO,
    NATS,
    SOCKETIO,
    Door,
    hub_subscribe,
)
from bse_bench.publisher import SYMBOLS
from bse_bench.report import Row, at_most
from bse_bench.subjects import hub, nats, node


SYMBOLS_EACH = 50
CHANGED = 500
"""Half of the symbols change in a tick: 25 of a client's 50 on average."""

HZ = 5
NODE_HZ = 3
NATS_RATIO_MAX = 0.6
NODE_RATIO_MAX = 0.1

NODE_ROOMS, NATS_SUBJECTS = "Node socket.io rooms", "nats-server subjects"


def own_sets(plan: Plan) -> list[Row]:
    """The rows."""
    sets = random_sets(1000)
    hubs = {
        "ws-hub raw MessagePack": HUB_MSGPACK,
        "ws-hub raw JSON": HUB_JSON,
        "ws-hub Socket.IO": HUB_SOCKETIO,
    }
    contenders = [
        *(
            Contender(name, hub, door, hub_messages(door, sets), HZ)
            for name, door in hubs.items()
        ),
        Contender(NATS_SUBJECTS, nats, NATS, [subscription(s) for s in sets], HZ),
        Contender(
            NODE_ROOMS,
            lambda: node("socketio"),
            SOCKETIO,
            [_rooms(symbols) for symbols in sets],
            NODE_HZ,
        ),
    ]
    results, rows = contest(contenders, plan, changed=CHANGED)
    for name, result in results.items():
        rows.append(Row(f"symbol update, {name}", result.net_us, "us"))
        if name in hubs:
            rows.append(Row(f"  with the idle cost, {name}", result.gross_us, "us"))
            rows.append(Row(f"  publisher to client p99, {name}", result.p99_ms, "ms"))
    for name in hubs:
        rows += _ratios(name, results)
    return rows


def random_sets(clients: int) -> list[list[int]]:
    """Each client's symbols, by index; the same in every run."""
    rng = random.Random(2)  # noqa: S311 - a draw, not a secret
    return [rng.sample(range(len(SYMBOLS)), SYMBOLS_EACH) for _ in range(clients)]


def hub_messages(door: Door, sets: list[list[int]]) -> list[bytes]:
    """The subscribe commands of these sets."""
    return [hub_subscribe(door, [SYMBOLS[i] for i in symbols]) for symbols in sets]


def _rooms(symbols: list[int]) -> bytes:
    rooms = json.dumps([f"s{i}" for i in symbols])
    return f'420["subscribe",{rooms}]'.encode()


def _ratios(name: str, results: dict[str, Result]) -> list[Row]:
    bounds = {NATS_SUBJECTS: NATS_RATIO_MAX, NODE_ROOMS: NODE_RATIO_MAX}
    return [
        at_most(
            f"symbol update, {name} / {other}",
            results[name].net_us / results[other].net_us,
            "x",
            bound,
        )
        for other, bound in bounds.items()
        if name in results and other in results
    ]
