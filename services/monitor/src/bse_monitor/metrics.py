"""Every metric of the monitor."""

from prometheus_client import CollectorRegistry, Gauge, Histogram

from bse_monitor.rules.status import FeedState, InstanceState, Status


class MonitorMetrics:
    """The newest verdict as numbers, for Prometheus to alert on."""

    def __init__(self, registry: CollectorRegistry):
        # 0 ok, 1 degraded, 2 down.
        self.overall = Gauge(
            "monitor_overall_severity",
            "The overall verdict: 0 ok, 1 degraded, 2 down.",
            registry=registry,
        )
        # Same scale; parts are store, feed and each expected service.
        self.part = Gauge(
            "monitor_part_severity",
            "What a part means for the whole: 0 ok, 1 degraded, 2 down.",
            ["part"],
            registry=registry,
        )
        # `missing` counts instances that stopped within the last ten minutes, in order or not.
        self.instances = Gauge(
            "monitor_instances",
            "Instances heard of, by service and state.",
            ["service", "state"],
            registry=registry,
        )
        # 1 for the state the feed is in, 0 for the others.
        self.feed_state = Gauge(
            "monitor_feed_state", "The state of the feed.", ["state"], registry=registry
        )
        # NaN as long as no price was ever confirmed.
        self.feed_age_seconds = Gauge(
            "monitor_feed_age_seconds",
            "Age of the newest confirmation of any price.",
            registry=registry,
        )
        # NaN while the store is away.
        self.store_latency_seconds = Gauge(
            "monitor_store_latency_seconds",
            "Round trip to the store.",
            registry=registry,
        )
        # A stuck observer shows as a time stamp that stands still.
        self.looked_at_seconds = Gauge(
            "monitor_last_look_timestamp_seconds",
            "When the newest look was done.",
            registry=registry,
        )
        # The whole look: store, heartbeats and all probes.
        self.look_seconds = Histogram(
            "monitor_look_seconds",
            "Time that a look took.",
            registry=registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30),
        )

    def show(self, status: Status, looked_at_ms: int, took_ms: float) -> None:
        """Set all gauges to the verdict."""
        self.overall.set(status.health.severity)
        for name, part in status.parts().items():
            self.part.labels(name).set(part.health.severity)
        self._show_instances(status)
        for state in FeedState:
            self.feed_state.labels(state.value).set(status.feed.state is state)
        self.feed_age_seconds.set(_seconds(status.feed.age_ms))
        self.store_latency_seconds.set(_seconds(status.store.latency_ms))
        self.looked_at_seconds.set(looked_at_ms / 1000)
        self.look_seconds.observe(took_ms / 1000)

    def _show_instances(self, status: Status) -> None:
        self.instances.clear()  # services that are gone leave no numbers behind
        for service in status.services:
            states = [instance.state for instance in service.instances]
            for state in InstanceState:
                self.instances.labels(service.name, state.value).set(
                    states.count(state)
                )


def _seconds(milliseconds: float | None) -> float:
    return float("nan") if milliseconds is None else milliseconds / 1000
