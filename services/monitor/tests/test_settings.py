"""What operators can set."""

import pytest
from pydantic import ValidationError

from bse_monitor.rules.limits import Limits
from bse_monitor.settings import MonitorHttp, MonitorSettings, ObserveSettings
from bse_shared.service.settings import explain


def test_the_defaults_are_those_of_the_rules():
    """One truth about what is expected and how old is too old."""
    assert Limits() == ObserveSettings().limits
    assert 8002 == MonitorHttp().port


def test_more_than_one_instance_can_be_asked_for(monkeypatch):
    """By a count behind the name."""
    monkeypatch.setenv("MONITOR_EXPECTED_SERVICES", "gateway:2, ws-hub")

    assert {"gateway": 2, "ws-hub": 1} == ObserveSettings().wanted


@pytest.mark.parametrize(
    "listed", ["gateway:0", "gateway:x", "Gate way", "feed", "a:b:1"]
)
def test_a_list_that_cannot_be_right_is_refused(monkeypatch, listed):
    """At the start, not when the first alarm is missed."""
    monkeypatch.setenv("MONITOR_EXPECTED_SERVICES", listed)

    with pytest.raises(ValidationError, match="is not a service name"):
        ObserveSettings()


def test_every_setting_explains_itself():
    """`--help` is the reference."""
    lines = list(explain(MonitorSettings))

    assert any(line.startswith("  MONITOR_MISSING_AFTER_S=3.5") for line in lines)
    assert not any("None" in line for line in lines)
