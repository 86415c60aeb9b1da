"""A shell as the runner would give it, on a clock that the test moves."""

import pytest
from prometheus_client import CollectorRegistry

from bse_shared.service.health import Health
from bse_shared.service.runner import Shell
from bse_shared.testing.fake_clock import FakeClock


@pytest.fixture
def clock():
    """A clock that moves only when told."""
    return FakeClock()


@pytest.fixture
def health(clock):
    """Health on that clock."""
    return Health(clock)


@pytest.fixture
def shell(clock, health):
    """The shell of a service under test."""
    return Shell(
        service="tiny",
        instance="tiny-1",
        url="http://127.0.0.1:8000",
        version="0.1.0",
        clock=clock,
        registry=CollectorRegistry(),
        health=health,
    )
