"""Every metric of the fetcher."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class FetcherMetrics:
    """What an operator needs to know of the polling."""

    def __init__(self, registry: CollectorRegistry):
        # Polls by outcome: ok, or the kind of error. `rate(...{outcome!="ok"})` is the error rate.
        self.polls = Counter(
            "fetcher_polls", "Polls of the exchange.", ["outcome"], registry=registry
        )
        # From asking to the last byte of the answer.
        self.answer_seconds = Histogram(
            "fetcher_answer_seconds",
            "Time until the exchange had answered.",
            registry=registry,
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10),
        )
        # From the last byte of the answer to the published frames: the platform's own part.
        self.publish_seconds = Histogram(
            "fetcher_publish_seconds",
            "Time from an answer to its published frames.",
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.08, 0.1, 0.2, 0.5, 1),
        )
        # Rows by what became of them: changed, unchanged, rejected, time_went_back, volume_went_back.
        self.rows = Counter(
            "fetcher_rows", "Rows of answers.", ["outcome"], registry=registry
        )
        # Rows that were believed although they went back, for they kept coming: the source's clock was put back.
        self.new_timelines = Counter(
            "fetcher_new_timelines",
            "Rows from the past that were believed in the end.",
            registry=registry,
        )
        # A field that BSE left out or retyped: its API drifts, alarm before users notice.
        self.schema_drift = Counter(
            "fetcher_schema_drift",
            "Row fields that were missing or had another type.",
            ["what"],
            registry=registry,
        )
        # Calls by source, endpoint and outcome: ok, or the kind of error.
        self.calls = Counter(
            "fetcher_source_calls",
            "Calls of sources.",
            ["source", "endpoint", "outcome"],
            registry=registry,
        )
        # Second and third tries within a call. Many of them: the source is unwell, although the calls may succeed.
        self.retries = Counter(
            "fetcher_source_retries",
            "Calls of sources that were tried again.",
            ["source", "endpoint"],
            registry=registry,
        )
        # 0 closed, 1 half-open, 2 open. Alarm when it is not 0 for minutes.
        self.circuit = Gauge(
            "fetcher_circuit_state",
            "State of a source's circuit breaker: 0 closed, 1 half-open, 2 open.",
            ["source", "endpoint"],
            registry=registry,
        )
        # Scrips that a reader missed: served, or missed (no answer within the deadline).
        self.wishes = Counter(
            "fetcher_wishes",
            "Scrips asked for at once.",
            ["outcome"],
            registry=registry,
        )
        # Prices that were marked as suspect, by the reason; alarm on any.
        self.suspects = Counter(
            "fetcher_suspect_prices",
            "Prices marked as suspect.",
            ["why"],
            registry=registry,
        )
        # Prices that are marked at this moment.
        self.suspects_now = Gauge(
            "fetcher_suspects",
            "Prices that are marked as suspect now.",
            registry=registry,
        )
        # Scrips by tier: hot, warm, cold. What a batch source is asked for follows from it.
        self.demand = Gauge(
            "fetcher_demand_scrips",
            "Scrips by how often they are wanted.",
            ["tier"],
            registry=registry,
        )
        # Batches by source and end: stored, failed.
        self.batches = Counter(
            "fetcher_batches",
            "Batches that were asked for.",
            ["source", "outcome"],
            registry=registry,
        )
        # Since an endpoint last answered; NaN for never. Alarm when a primary's is beyond two intervals.
        self.answered_age = Gauge(
            "fetcher_source_answered_age_seconds",
            "Since the endpoint last gave a usable answer.",
            ["source", "endpoint"],
            registry=registry,
        )
        # 1 while an operator's order is in force: an alarm's first question.
        self.ordered = Gauge(
            "fetcher_order_in_force",
            "Whether an operator's order is in force.",
            registry=registry,
        )
        # Comparisons with the second source: agrees, differs, incomparable.
        self.cross_checks = Counter(
            "fetcher_cross_checks",
            "Prices compared with a second source.",
            ["outcome"],
            registry=registry,
        )
        # The newest trade of the last answer against the store's clock. Below zero: clocks differ.
        self.newest_trade_age = Gauge(
            "fetcher_newest_trade_age_seconds",
            "Age of the newest trade in the last answer.",
            registry=registry,
        )
        self.candles = Counter(
            "fetcher_candles", "Minutes and days that were stored.", registry=registry
        )
        self.shards_held = Gauge(
            "fetcher_shards_held",
            "Shards that this instance writes.",
            registry=registry,
        )
        # A refused commit: another fetcher took over, or the store lost writes.
        self.fenced = Counter(
            "fetcher_fenced", "Commits that the store refused.", registry=registry
        )
