"""Every metric of the gateway."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bse_gateway.identifiers import Miss, Reason
from bse_gateway.lookup import Market


_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_BOUNDS = (*map(str, _BUCKETS_S), "+Inf")


class _Durations:
    """One route's histogram: a count for each bucket, not yet summed up, and the sum of all durations."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.seconds = 0.0


class _Tally(Collector):
    """What is counted for each request: plain integers, shown when somebody scrapes.

    The library's own counters take a lock for each of the five counts of a request.
    """

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self.durations: dict[str, _Durations] = {}
        self.lookups = dict.fromkeys(["hit", *Reason], 0)

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        # Templates, not paths: a path is chosen by the caller, and labels must stay few.
        requests = CounterMetricFamily(
            "gateway_requests",
            "Requests answered, by route template and status.",
            labels=["route", "status"],
        )
        for (route, status), count in self.requests.items():
            requests.add_metric([route, str(status)], count)
        yield requests
        # The service level is 5 ms for a hit.
        seconds = HistogramMetricFamily(
            "gateway_request_seconds",
            "From the request's arrival to the end of the answer, by route template.",
            labels=["route"],
        )
        for route, durations in self.durations.items():
            summed, buckets = 0, []
            for bound, count in zip(_BOUNDS, durations.counts, strict=True):
                summed += count
                buckets.append((bound, float(summed)))
            seconds.add_metric([route], buckets, durations.seconds)
        yield seconds
        # Hits over all lookups is the cache hit ratio; no_quote are the misses, the rest callers' errors.
        lookups = CounterMetricFamily(
            "gateway_lookups",
            "Quotes looked up: hit, no_quote, unknown_symbol, invalid_symbol.",
            labels=["result"],
        )
        for result, count in self.lookups.items():
            lookups.add_metric([str(result)], count)
        yield lookups


class GatewayMetrics:
    """Requests by route template, lookups by result."""

    def __init__(self, registry: CollectorRegistry):
        self._registry = registry
        self._tally = _Tally()
        registry.register(self._tally)
        # Identical ETag: the caller already has this quote in this quality.
        self.not_modified = Counter(
            "gateway_not_modified", "Answers without a body (304).", registry=registry
        )

        # Late and quiet together are scrips that nobody has; many store_away are an outage.
        self.on_demand = Counter(
            "gateway_on_demand",
            "Misses that the fetchers were asked for: arrived, late, quiet (late a moment ago), busy, store_away.",
            ["result"],
            registry=registry,
        )

        # By reason: a wave of one reason is a broken client, a wave of all is somebody trying doors.
        self.refused = Counter(
            "gateway_refused",
            "Requests refused before their route, by reason.",
            ["reason"],
            registry=registry,
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key, requests = (route, status), self._tally.requests
        requests[key] = requests.get(key, 0) + 1
        durations = self._tally.durations.get(route)
        if durations is None:
            durations = self._tally.durations[route] = _Durations()
        durations.counts[bisect_left(_BUCKETS_S, seconds)] += 1
        durations.seconds += seconds

    def looked_up(self, found: int, misses: Sequence[Miss] = ()) -> None:
        """Quotes were looked up: so many found, these not."""
        self._tally.lookups["hit"] += found
        for miss in misses:
            self._tally.lookups[miss.reason] += 1

    def watch_load(self, in_flight: Callable[[], int]) -> None:
        """Show how many requests are at work, read at scrape time."""
        Gauge(
            "gateway_in_flight",
            "Requests at work, quotes out of memory aside.",
            registry=self._registry,
        ).set_function(in_flight)

    def watch_calendar(self, days_left: Callable[[], int]) -> None:
        """Show when a new calendar is due, read at scrape time."""
        Gauge(
            "gateway_calendar_days",
            "Days after today that the calendar knows; where few are left a new one is due.",
            registry=self._registry,
        ).set_function(days_left)

    def watch(self, market: Market) -> None:
        """Show what the table holds, read at scrape time."""
        for name, text, read in (
            ("gateway_quotes", "Quotes held.", lambda: len(market.table.images)),
            ("gateway_instruments", "Scrips known.", lambda: len(market.instruments)),
            (
                "gateway_bus_connected",
                "1 while the bus is heard.",
                lambda: market.connected,
            ),
        ):
            Gauge(name, text, registry=self._registry).set_function(read)
