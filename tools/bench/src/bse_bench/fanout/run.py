"""The whole fan-out benchmark: every scenario in turn, one table at the end."""

from collections.abc import Callable

from bse_bench.fanout.drain import drain
from bse_bench.fanout.frame_bytes import frame_bytes
from bse_bench.fanout.idle_memory import idle_memory
from bse_bench.fanout.many_clients import many_clients
from bse_bench.fanout.own_sets import own_sets
from bse_bench.fanout.plan import FULL, QUICK, Plan
from bse_bench.fanout.shared_set import shared_set
from bse_bench.fanout.slow_reader import slow_reader
from bse_bench.processes import Unfit, interruptible
from bse_bench.report import Row, absent, tell
from bse_bench.toolchain import Missing, c_program
from bse_local_stack.redis_server import NoRedisServer


SCENARIOS: dict[str, Callable[[Plan], list[Row]]] = {
    "1,000 clients, one shared set": shared_set,
    "1,000 clients, 50 symbols each": own_sets,
    "10,000 clients": many_clients,
    "idle connections": idle_memory,
    "a client that stops reading": slow_reader,
    "a hub is drained": drain,
    "bytes of a simulated day": frame_bytes,
}


def main(*, quick: bool = False) -> bool:
    """Run it all; whether every bound was kept."""
    interruptible()
    plan = QUICK if quick else FULL
    c_program(
        "load"
    )  # without it nothing can be measured: fails here, saying how to get a compiler
    rows: list[Row] = []
    for name, scenario in SCENARIOS.items():
        print(f"  {name} …", flush=True)
        try:
            rows += scenario(plan)
        except (Missing, NoRedisServer, Unfit) as error:
            rows.append(absent(name, str(error)))
    return tell(
        "fanout",
        rows,
        [
            "CPU is user + system of the server's process; the load generator is a process of its own, in C.",
            f"CPU per unit: best of {plan.rounds} round(s) of {plan.seconds:g} s, servers in turn, less the same server's idle CPU.",
            "Latency: from the publisher's stamp to the client, median of the rounds' p99; it includes the 20 ms flush.",
            *(["Quick run: figures are rough."] if quick else []),
        ],
    )
