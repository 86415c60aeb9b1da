"""The only file that knows which metrics of the other services the monitor shows, and under which name."""

from collections.abc import Mapping
from math import isfinite

from prometheus_client.parser import text_string_to_metric_families


FIGURE_OF_METRIC = {
    "process_resident_memory_bytes": "memory_bytes",
    "process_cpu_seconds_total": "cpu_s",
    "process_open_fds": "open_files",
    "fetcher_polls_total": "polls",
    "fetcher_shards_held": "shards_held",
    "gateway_requests_total": "requests",
    "ws_hub_connections": "clients",
    "ws_hub_subscriptions": "subscriptions",
}
"""Samples with the same name but other labels are added up."""


class NotMetrics(ValueError):
    """The text is not in the Prometheus format."""


def read_figures(text: str) -> Mapping[str, float]:
    """The figures found in a /metrics answer. Raises NotMetrics."""
    figures: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if name := FIGURE_OF_METRIC.get(sample.name):
                    figures[name] = figures.get(name, 0.0) + sample.value
    # The parser also lets the latter two out, on some malformed lines.
    except (ValueError, IndexError, KeyError) as error:
        raise NotMetrics(f"not Prometheus metrics: {error}") from error
    return {name: value for name, value in figures.items() if isfinite(value)}
