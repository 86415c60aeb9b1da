"""Every metric of the gateway."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bse_gateway.lookup import Market, Reason


_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class GatewayMetrics:
    """Requests by route template, lookups by result."""

    def __init__(self, registry: CollectorRegistry):
        self._registry = registry
        # Templates, not paths: a path is chosen by the caller, and labels must stay few.
        self.requests = Counter(
            "gateway_requests",
            "Requests answered, by route template and status.",
            ["route", "status"],
            registry=registry,
        )
        # The service level is 5 ms for a hit.
        self.seconds = Histogram(
            "gateway_request_seconds",
            "From the request's arrival to the end of the answer, by route template.",
            ["route"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        # Hits over all lookups is the cache hit ratio; no_quote are the misses, the rest callers' errors.
        lookups = Counter(
            "gateway_lookups",
            "Quotes looked up: hit, no_quote, unknown_symbol, invalid_symbol.",
            ["result"],
            registry=registry,
        )
        # Resolved once: a batch counts up to 500 of them.
        self.hits = lookups.labels("hit")
        self.misses = {reason: lookups.labels(reason.value) for reason in Reason}
        # Identical ETag: the caller already has this quote in this quality.
        self.not_modified = Counter(
            "gateway_not_modified", "Answers without a body (304).", registry=registry
        )

        # By reason: a wave of one reason is a broken client, a wave of all is somebody trying doors.
        self.refused = Counter(
            "gateway_refused",
            "Requests refused before their route, by reason.",
            ["reason"],
            registry=registry,
        )

        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def count(self, route: str, status: int, seconds: float) -> None:
        """One request was answered. Its series are looked up once: routes and statuses are few."""
        series = self._series.get((route, status))
        if series is None:
            series = self._series[route, status] = (
                self.requests.labels(route, status),
                self.seconds.labels(route),
            )
        series[0].inc()
        series[1].observe(seconds)

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
