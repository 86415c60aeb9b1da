"""What an idle, subscribed connection holds in the hub's memory, per door."""

import time

from bse_bench.fanout.plan import Plan
from bse_bench.load import HUB_MSGPACK, HUB_SOCKETIO, Door, hub_subscribe, load
from bse_bench.publisher import SYMBOLS
from bse_bench.report import Row, at_most
from bse_bench.subjects import hub


WARM_UP_CLIENTS = 200
SYMBOLS_EACH = 10
REST_S = 3.0
RAW_KB_MAX = 20
SOCKETIO_KB_MAX = 45


def idle_memory(plan: Plan) -> list[Row]:
    """The rows."""
    doors = {
        "raw": (HUB_MSGPACK, RAW_KB_MAX),
        "Socket.IO": (HUB_SOCKETIO, SOCKETIO_KB_MAX),
    }
    return [
        at_most(
            f"memory per idle connection, {name} ({plan.idle_clients:,} clients)",
            _kb_each(door, plan.idle_clients),
            "KB",
            bound,
        )
        for name, (door, bound) in doors.items()
    ]


def _kb_each(door: Door, clients: int) -> float:
    message = [hub_subscribe(door, SYMBOLS[:SYMBOLS_EACH])]
    with hub() as subject:
        with load(subject.port, door, WARM_UP_CLIENTS, message):
            time.sleep(1)
        time.sleep(1)
        before = subject.server.rss_bytes()
        with load(subject.port, door, clients, message):
            time.sleep(REST_S)
            return (subject.server.rss_bytes() - before) / clients / 1000
