"""The verdict as numbers."""

import math
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from bse_monitor.metrics import MonitorMetrics
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import NOTHING_SEEN
from bse_monitor.rules.verdict import evaluate


@pytest.fixture
def registry():
    """Where the metrics are."""
    return CollectorRegistry()


def test_the_gauges_follow_the_verdict(registry, an_observation):
    """State, instances, ages and latency, in base units."""
    MonitorMetrics(registry).show(evaluate(an_observation(), Limits()), 5000, 20)
    value = registry.get_sample_value

    assert 0 == value("monitor_overall_severity")
    assert 1 == value("monitor_instances", {"service": "gateway", "state": "up"})
    assert 1 == value("monitor_feed_state", {"state": "ok"})
    assert 0 == value("monitor_feed_state", {"state": "stale"})
    assert 1.2 == value("monitor_feed_age_seconds")
    assert 0.0015 == value("monitor_store_latency_seconds")
    assert 5 == value("monitor_last_look_timestamp_seconds")


def test_what_is_not_known_is_not_a_number(registry):
    """An unknown age must not look like a fresh one."""
    MonitorMetrics(registry).show(evaluate(NOTHING_SEEN, Limits()), 0, 0)

    assert 2 == registry.get_sample_value("monitor_part_severity", {"part": "store"})
    assert math.isnan(registry.get_sample_value("monitor_feed_age_seconds"))
    assert math.isnan(registry.get_sample_value("monitor_store_latency_seconds"))


def test_a_service_that_is_gone_leaves_no_numbers(
    registry, an_observation, an_instance
):
    """Strangers come and go; their series do not pile up."""
    metrics = MonitorMetrics(registry)
    whole = an_observation()
    with_stranger = replace(
        whole, instances=(*whole.instances, an_instance("stranger", "s"))
    )
    labels = {"service": "stranger", "state": "up"}
    metrics.show(evaluate(with_stranger, Limits()), 0, 0)
    before = registry.get_sample_value("monitor_instances", labels)
    metrics.show(evaluate(whole, Limits()), 0, 0)

    assert (1, None) == (
        before,
        registry.get_sample_value("monitor_instances", labels),
    )
