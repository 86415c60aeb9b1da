"""A few numbers out of a metrics answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import generate_latest

from bse_monitor.watch.figures import NotMetrics, read_figures


def test_figures_are_added_up_over_their_labels():
    """What our own services expose is read back."""
    registry = CollectorRegistry()
    clients = Gauge("ws_hub_connections", "Clients.", ["door"], registry=registry)
    clients.labels("raw").set(40)
    requests = Counter("gateway_requests", "Requests.", ["route"], registry=registry)
    requests.labels("quote").inc(3)
    requests.labels("batch").inc(4)
    Gauge("other", "Not shown.", registry=registry).set(1)

    assert {"clients": 40.0, "requests": 7.0} == read_figures(
        generate_latest(registry).decode()
    )


def test_numbers_that_json_cannot_say_are_left_out():
    """NaN would break the readers of the status."""
    assert {} == read_figures(
        "ws_hub_connections NaN\nprocess_cpu_seconds_total +Inf\n"
    )


@pytest.mark.parametrize(
    "text", ["<html>", "ws_hub_connections", 'a{b="c} 1', "a 1 2 3 x"]
)
def test_what_is_not_metrics_is_one_typed_error(text):
    """A page of somebody else's server."""
    with pytest.raises(NotMetrics):
        read_figures(text)


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.sampled_from(
                ['a{b="c"', "} 1", "# TYPE a counter\n", "a 1\n", "\\", "="]
            ),
        )
    ).map("".join)
)
def test_any_text_is_figures_or_the_typed_error(text):
    """Nothing that an instance answers ends the monitor."""
    try:
        figures = read_figures(text)
    except NotMetrics:
        figures = {}

    assert {} == figures
