"""One client of 1,000 stops reading: what it costs the hub, what the others notice, when it is closed."""

import time
from typing import NamedTuple

from bse_bench.fanout.own_sets import CHANGED, hub_messages, random_sets
from bse_bench.fanout.plan import Plan
from bse_bench.load import HUB_MSGPACK, Counts, hub_subscribe, load
from bse_bench.publisher import SYMBOLS
from bse_bench.report import Row, absent, at_most
from bse_bench.subjects import Subject, hub, metric


CLIENTS = 1000
HZ = 10
WARM_UP_S = 6.0
WATCHED_S = 16.0
LOOK_EVERY_S = 0.2

MEMORY_KB_MAX = 256
P99_RATIO_MAX = 1.2
CLOSED_WITHIN_S = 15
"""10 s of lag by policy, and the time until the kernel's buffers are full and it lags."""

WHAT = "a client that stops reading"
CLOSES = 'ws_hub_closes_total{reason="slow_consumer"}'


class Watched(NamedTuple):
    """How far the hub's memory rose, and when the first slow client was closed."""

    rose_kb: float
    closed_after_s: float | None


def slow_reader(plan: Plan) -> list[Row]:
    """The rows."""
    if not plan.slow_reader:
        return [absent(WHAT, "takes 40 s, left out of a quick run")]
    everything = hub_subscribe(HUB_MSGPACK, SYMBOLS)
    others = hub_messages(HUB_MSGPACK, random_sets(CLIENTS - 1))
    with (
        hub() as subject,
        load(subject.port, HUB_MSGPACK, CLIENTS, [everything, *others]) as clients,
    ):
        subject.source.ask(f"go {HZ} {CHANGED} x")
        _watch(subject, WARM_UP_S)  # buffers grow to what they need
        clients.mark()
        reference = _watch(subject, WATCHED_S)
        counts_before = clients.mark()
        clients.stall(1)
        stalled = _watch(subject, WATCHED_S)
        counts = clients.mark()
    return _rows(counts_before, counts, reference, stalled)


def _watch(subject: Subject, seconds: float) -> Watched:
    """Look at memory and at clients closed as slow; both phases are looked at alike."""
    began, start = time.monotonic(), subject.server.rss_bytes()
    peak, closed_after_s = start, None
    while (passed := time.monotonic() - began) < seconds:
        peak = max(peak, subject.server.rss_bytes())
        if closed_after_s is None and metric(subject.port, CLOSES) > 0:
            closed_after_s = passed
        time.sleep(LOOK_EVERY_S)
    return Watched((peak - start) / 1000, closed_after_s)


def _rows(
    before: Counts, counts: Counts, reference: Watched, stalled: Watched
) -> list[Row]:
    p99, p99_before = counts.latency_ms["p99"], before.latency_ms["p99"]
    return [
        at_most(
            f"{WHAT}: hub memory it adds",
            max(0.0, stalled.rose_kb - reference.rose_kb),
            "KB",
            MEMORY_KB_MAX,
        ),
        Row("  hub memory rose in the 16 s after it stopped", stalled.rose_kb, "KB"),
        Row("  in the 16 s before it stopped", reference.rose_kb, "KB"),
        at_most(f"{WHAT}: p99 of the others", p99 / p99_before, "x", P99_RATIO_MAX),
        Row("  p99 before", p99_before, "ms"),
        Row("  p99 while it does not read", p99, "ms"),
        _closed(stalled.closed_after_s),
    ]


def _closed(after_s: float | None) -> Row:
    what = f"{WHAT}: closed after"
    if after_s is None:
        return Row(what, None, "", f"not closed in {WATCHED_S:g} s", holds=False)
    return at_most(what, after_s, "s", CLOSED_WITHIN_S)
