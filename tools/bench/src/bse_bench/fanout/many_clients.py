"""10,000 clients on one process, 50 of 1,000 symbols each: how many symbol updates a second, and how late."""

from bse_bench.fanout.own_sets import CHANGED, hub_messages, random_sets
from bse_bench.fanout.plan import Plan
from bse_bench.load import HUB_MSGPACK, load
from bse_bench.processes import Unfit
from bse_bench.report import Row, absent, at_least
from bse_bench.subjects import Window, hub, ticking


CLIENTS = 10_000
UPDATES_PER_TICK = CLIENTS * 25
P99_MAX_MS = 150
TARGET = 1_000_000
DELIVERED_MIN = 0.95
"""Of what was published; below it the hub merges, so it does not keep up."""

HOPELESS = 0.85
WINDOW_S = 5

WHAT = "symbol updates/s of one process, 10,000 clients"


def many_clients(plan: Plan) -> list[Row]:
    """The rows: the greatest load that was kept up with, and what each load cost."""
    if not plan.many_clients_hz:
        return [absent(WHAT, "takes 50 s, left out of a quick run")]
    kept: dict[float, Window] = {}
    rows: list[Row] = []
    try:
        with (
            hub() as subject,
            load(
                subject.port,
                HUB_MSGPACK,
                CLIENTS,
                hub_messages(HUB_MSGPACK, random_sets(CLIENTS)),
            ) as clients,
        ):
            ticking(subject, clients, 1, 1, changed=CHANGED)
            for hz in plan.many_clients_hz:
                measured = ticking(subject, clients, hz, WINDOW_S, changed=CHANGED)
                rows += _told(hz, measured)
                if _kept_up(hz, measured):
                    kept[hz] = measured
                if _delivered(hz, measured) < HOPELESS:
                    break
    except Unfit as error:
        return [*rows, absent(WHAT, str(error))]
    best = max((_rate(w) for w in kept.values()), default=0.0)
    return [at_least(WHAT, best, "/s", TARGET), *rows]


def _rate(measured: Window) -> float:
    return measured.counts.rows / measured.seconds


def _kept_up(hz: float, measured: Window) -> bool:
    p99_ms = measured.counts.tick_ms.get("p99", float("inf"))
    return p99_ms < P99_MAX_MS and _delivered(hz, measured) >= DELIVERED_MIN


def _delivered(hz: float, measured: Window) -> float:
    return _rate(measured) / (hz * UPDATES_PER_TICK)


def _told(hz: float, measured: Window) -> list[Row]:
    offered = f"{hz * UPDATES_PER_TICK:,.0f}/s offered"
    return [
        Row(f"  {offered}: delivered", _rate(measured), "/s"),
        Row(
            f"  {offered}: tick to client p99", measured.counts.tick_ms.get("p99"), "ms"
        ),
        Row(
            f"  {offered}: publisher to client p99",
            measured.counts.latency_ms.get("p99"),
            "ms",
        ),
        Row(f"  {offered}: hub CPU", measured.core * 100, "% of a core"),
    ]
