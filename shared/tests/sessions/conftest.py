"""What the tests of this room share: Indian wall clock time, and two calendars."""

import datetime as dt
from collections.abc import Callable

import pytest

from bse_shared.sessions.calendar import MarketCalendar, builtin_calendar


IST = dt.timezone(dt.timedelta(hours=5, minutes=30))


@pytest.fixture(scope="session")
def ist() -> Callable[[str], int]:
    """Epoch milliseconds of an Indian time written ``2026-11-23 09:15``."""

    def to_ms(text: str) -> int:
        moment = dt.datetime.fromisoformat(text).replace(tzinfo=IST)
        return int(moment.timestamp()) * 1000

    return to_ms


@pytest.fixture(scope="session")
def bse() -> MarketCalendar:
    """The packaged calendar of BSE equity."""
    return builtin_calendar()


@pytest.fixture
def facts() -> dict[str, object]:
    """A valid calendar of one month, decoded, for a test to spoil."""
    return {
        "schema": 1,
        "market": "a little market",
        "as_of": "2030-01-01",
        "covers_from": "2030-01-01",
        "covers_until": "2030-01-31",
        "weekend": ["Saturday", "Sunday"],
        "holidays": [{"date": "2030-01-03", "name": "Rest"}],
        "special_sessions": [{"date": "2030-01-05", "name": "Test", "phases": None}],
        "regimes": [
            {
                "name": "simple",
                "starts_on": "2030-01-01",
                "phases": [["pre_open", "09:00", "09:15"], ["open", "09:15", "15:30"]],
            }
        ],
    }
