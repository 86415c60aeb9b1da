"""What a quote costs the gateway, against a plain FastAPI route with the same quote in the same run."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bse_bench.gateway_load import Run, get, measure
from bse_bench.gateway_subjects import Gateway, gateway, plain
from bse_bench.processes import Child, interruptible
from bse_bench.publisher import DAY_MINUTES, DAY_OPENS_MS, SYMBOLS
from bse_bench.report import Row, at_least, at_most, below, tell
from bse_bench.toolchain import c_program
from bse_shared.quotes.candles import MINUTE_MS


CONNECTIONS = 8
BATCH = 50
RATE = 1000
REQUESTS_RATIO_MIN = 2.5
CPU_RATIO_MAX = 0.4
P99_MS_MAX = 5
BATCH_RATIO_MAX = 3
GROWTH_BYTES_MAX = 1_000_000

_DAY = f"from={DAY_OPENS_MS}&to={DAY_OPENS_MS + DAY_MINUTES * MINUTE_MS}"
ROUTES = {
    "one quote, mode=ltp": [
        f"/api/stock/{symbol}?mode=ltp" for symbol in SYMBOLS[:100]
    ],
    "one quote, fields=last,volume": [
        f"/api/stock/{symbol}?fields=last,volume" for symbol in SYMBOLS[:100]
    ],
    "candles, the 375 minutes of a day": [
        f"/api/stock/{symbol}/candles?interval=1m&{_DAY}" for symbol in SYMBOLS[:100]
    ],
    "candles, a day by hours": [
        f"/api/stock/{symbol}/candles?interval=1h&{_DAY}" for symbol in SYMBOLS[:100]
    ],
    "search, 10 of 1,000 scrips": [f"/api/search?q=SYM0{digit}" for digit in range(10)],
    "movers, the best 10": ["/api/market/movers?limit=10"],
    "breadth": ["/api/market/breadth"],
    "indices": ["/api/indices"],
}
Server = tuple[Child, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int
    seconds: float
    warm_up: int
    many: int


FULL = Plan(rounds=5, seconds=4, warm_up=100_000, many=1_000_000)
QUICK = Plan(rounds=2, seconds=1, warm_up=20_000, many=50_000)


def main(*, quick: bool = False) -> bool:
    """Run it all; whether every bound was kept."""
    interruptible()
    plan = QUICK if quick else FULL
    c_program("http_load")  # without it nothing can be measured
    with gateway() as ours:
        rows = [
            *_against_plain(ours, plan),
            *_beyond(ours, plan),
            *_at_rate(ours, plan),
            *_memory(ours, plan),
        ]
    return tell(
        "gateway",
        rows,
        [
            "The gateway checks a token, spends a budget, counts, tags and stamps each answer; plain does none of it.",
            f"{CONNECTIONS} keep-alive connections; CPU is user + system of the server's process, the load generator is in C.",
            f"Ratios: median of {plan.rounds} rounds of {plan.seconds:g} s, servers in turn; CPU: best round.",
            "Latency counts from when a request fell due, not from when it was sent.",
            *(["Quick run: figures are rough."] if quick else []),
        ],
    )


def _against_plain(ours: Gateway, plan: Plan) -> list[Row]:
    mine: Server = (ours.server, ours.port)
    single, batch = _quotes(ours.tokens), _batches(ours.tokens)
    unasked = [get(f"/api/stock/{symbol}") for symbol in SYMBOLS[:100]]
    with plain(ours) as theirs:
        for server, requests in ((theirs, unasked), (mine, single), (mine, batch)):
            _run(server, requests, 0.5)
        runs = [
            (
                _run(theirs, unasked, plan.seconds),
                _run(mine, single, plan.seconds),
                _run(mine, batch, plan.seconds),
            )
            for _ in range(plan.rounds)
        ]
    plain_runs, single_runs, batch_runs = zip(*runs, strict=True)
    return [
        Row("plain FastAPI, requests", _per_s(plain_runs), "1/s"),
        Row("one quote, requests", _per_s(single_runs), "1/s"),
        at_least(
            "one quote, requests to plain",
            statistics.median(s.per_s / p.per_s for p, s, _ in runs),
            "x",
            REQUESTS_RATIO_MIN,
        ),
        Row("plain FastAPI, CPU", _cpu_us(plain_runs), "us"),
        Row("one quote, CPU", _cpu_us(single_runs), "us"),
        at_most(
            "one quote, CPU to plain",
            _cpu_us(single_runs) / _cpu_us(plain_runs),
            "x",
            CPU_RATIO_MAX,
        ),
        Row(f"{BATCH} quotes, CPU", _cpu_us(batch_runs), "us"),
        below(
            f"{BATCH} quotes to one, CPU",
            _cpu_us(batch_runs) / _cpu_us(single_runs),
            "x",
            BATCH_RATIO_MAX,
        ),
        below(
            f"{BATCH} quotes to one, time",
            statistics.median(s.per_s / b.per_s for _, s, b in runs),
            "x",
            BATCH_RATIO_MAX,
        ),
    ]


def _beyond(ours: Gateway, plan: Plan) -> list[Row]:
    """What the other routes cost: beside the plain route, which is measured again as its neighbour."""
    unasked = [get(f"/api/stock/{symbol}") for symbol in SYMBOLS[:100]]
    subjects = {
        name: [
            get(path, [("Authorization", f"Bearer {token}")])
            for path in paths
            for token in ours.tokens
        ]
        for name, paths in ROUTES.items()
    }
    rows = []
    with plain(ours) as theirs:
        baseline = _cpu_us([_run(theirs, unasked, plan.seconds) for _ in range(2)])
        for name, requests in subjects.items():
            _run((ours.server, ours.port), requests, 0.2)
            runs = [
                _run((ours.server, ours.port), requests, plan.seconds / 2)
                for _ in range(plan.rounds)
            ]
            p99_ms = min(run.answers.p99_ms for run in runs)
            rows += [
                Row(f"{name}, CPU", _cpu_us(runs), "us"),
                Row(f"– to plain, {name}", _cpu_us(runs) / baseline, "x"),
                Row(f"– p99 as fast as it goes, {name}", p99_ms, "ms"),
            ]
    return rows


def _at_rate(ours: Gateway, plan: Plan) -> list[Row]:
    """Latency, with the plain route's in turns beside it: where that is late too, it was the machine."""
    unasked = [get(f"/api/stock/{symbol}") for symbol in SYMBOLS[:100]]
    mine: Server = (ours.server, ours.port)
    with plain(ours) as theirs:
        runs = [
            (
                _run(mine, _quotes(ours.tokens), plan.seconds, RATE).answers,
                _run(theirs, unasked, plan.seconds, RATE).answers,
            )
            for _ in range(plan.rounds)
        ]
    p99_ms = statistics.median(own.p99_ms for own, _ in runs)
    return [
        below(f"one quote at {RATE}/s, p99", p99_ms, "ms", P99_MS_MAX),
        *(
            Row(name, statistics.median(values), "ms")
            for name, values in (
                (f"one quote at {RATE}/s, p50", [own.p50_ms for own, _ in runs]),
                (f"– plain FastAPI, p99 at {RATE}/s", [p.p99_ms for _, p in runs]),
                (f"– plain FastAPI, p50 at {RATE}/s", [p.p50_ms for _, p in runs]),
            )
        ),
    ]


def _memory(ours: Gateway, plan: Plan) -> list[Row]:
    requests = _quotes(ours.tokens)
    measure(
        ours.server, ours.port, requests, connections=CONNECTIONS, count=plan.warm_up
    )
    before = ours.server.rss_bytes()
    measure(ours.server, ours.port, requests, connections=CONNECTIONS, count=plan.many)
    grown = ours.server.rss_bytes() - before
    return [
        Row("resident memory", ours.server.rss_bytes() / 1e6, "MB"),
        at_most(
            f"growth over {plan.many:,} requests",
            grown / 1e6,
            "MB",
            GROWTH_BYTES_MAX / 1e6,
        ),
    ]


def _quotes(tokens: list[str]) -> list[bytes]:
    """Requests of all callers for a hundred scrips."""
    return [
        get(f"/api/stock/{symbol}", [("Authorization", f"Bearer {token}")])
        for symbol in SYMBOLS[:100]
        for token in tokens
    ]


def _batches(tokens: list[str]) -> list[bytes]:
    return [
        get(
            f"/api/stocks/batch?symbols={','.join(SYMBOLS[start : start + BATCH])}",
            [("Authorization", f"Bearer {token}")],
        )
        for start in range(0, len(SYMBOLS), BATCH)
        for token in tokens
    ]


def _run(
    server: Server, requests: Sequence[bytes], seconds: float, rate: float = 0
) -> Run:
    child, port = server
    return measure(
        child, port, requests, connections=CONNECTIONS, seconds=seconds, rate=rate
    )


def _per_s(runs: Sequence[Run]) -> float:
    return statistics.median(run.per_s for run in runs)


def _cpu_us(runs: Sequence[Run]) -> float:
    return min(run.cpu_us for run in runs)
