"""A hub with 1,000 clients is terminated while prices move: how soon everybody is told and gone, and the process too."""

import os
import signal
import time
from contextlib import suppress

from bse_bench.fanout.own_sets import CHANGED, hub_messages, random_sets
from bse_bench.fanout.plan import Plan
from bse_bench.load import HUB_MSGPACK, HUB_SOCKETIO, Door, load
from bse_bench.processes import Unfit
from bse_bench.report import Row
from bse_bench.subjects import SETTLE_S, hub


CLIENTS = 1000
HZ = 10
WITHIN_S = 15.0
LOOK_EVERY_S = 0.005
GOING_AWAY = 1001


def drain(_plan: Plan) -> list[Row]:
    """The rows."""
    doors = {"raw": HUB_MSGPACK, "Socket.IO": HUB_SOCKETIO}
    return [row for name, door in doors.items() for row in _drained(name, door)]


def _drained(name: str, door: Door) -> list[Row]:
    messages = hub_messages(door, random_sets(CLIENTS))
    with hub() as subject, load(subject.port, door, CLIENTS, messages) as clients:
        subject.source.ask(f"go {HZ} {CHANGED} x")
        time.sleep(SETTLE_S)
        clients.mark()
        began, began_cpu_s = time.monotonic(), subject.server.cpu_s()
        os.kill(subject.server.pid, signal.SIGTERM)
        closed, closed_s, cpu_s = 0, None, began_cpu_s
        while subject.server.alive():
            passed_s = time.monotonic() - began
            if passed_s > WITHIN_S:
                raise Unfit(f"the hub did not end within {WITHIN_S:g} s")
            with suppress(OSError):  # it may end just now
                cpu_s = subject.server.cpu_s()
            closed += clients.mark().closed
            if closed == CLIENTS and closed_s is None:
                closed_s = passed_s
            time.sleep(LOOK_EVERY_S)
        ended_s = time.monotonic() - began
        counts = clients.mark()
        closed += counts.closed
    what = f"drain of {CLIENTS:,} clients, {name}"
    code = counts.close_code
    if closed < CLIENTS or (door is HUB_MSGPACK and code != GOING_AWAY):
        why = f"{closed} of {CLIENTS} closed, the last with {code}"
        return [Row(what, None, "", why, holds=False)]
    return [
        Row(f"{what}: all told and closed", (closed_s or ended_s) * 1000, "ms"),
        Row("  the process has ended", ended_s * 1000, "ms"),
        Row("  CPU", (cpu_s - began_cpu_s) * 1000, "ms"),
    ]
