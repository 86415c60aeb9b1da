"""The fetchers' calendar, at the gateway's routes while it runs."""

import json

import pytest
from structlog.testing import capture_logs

from bse_gateway.calendar_follower import WARN_DAYS, CalendarFollower
from bse_shared.redis_edge.calendar_board import CalendarBoard
from bse_shared.sessions.calendar import builtin_calendar_file
from bse_shared.sessions.session import DAY_MS, midnight_ms
from bse_shared.testing.fake_clock import FakeClock


MONDAY_MS = midnight_ms(739_943)
"""23 Nov 2026."""
BUILTIN = json.loads(builtin_calendar_file())


def declared(date):
    """The packaged calendar with one holiday more."""
    rows = [*BUILTIN["holidays"], {"date": date, "name": "declared yesterday"}]
    rows.sort(key=lambda each: each["date"])
    return json.dumps(BUILTIN | {"holidays": rows}).encode()


@pytest.fixture
def board(redis):
    """Where the fetcher tells it."""
    return CalendarBoard(redis)


@pytest.fixture
def clock():
    """A Monday."""
    return FakeClock(wall_ms=MONDAY_MS)


@pytest.fixture
def follower(board, clock):
    """The gateway's."""
    return CalendarFollower(board, clock)


def is_open_at_noon(follower):
    """On that Monday."""
    return follower.calendar.session_at(MONDAY_MS + DAY_MS // 2).is_open


async def test_until_a_fetcher_tells_one_the_packaged_one_counts(follower):
    """A gateway needs no configuration."""
    await follower.step()
    assert is_open_at_noon(follower)


async def test_a_holiday_that_is_declared_is_told_without_a_restart(
    follower, board, make_door, client_of
):
    """At the follower, and at the routes."""
    await follower.step()
    await board.put(declared("2026-11-23"))
    await follower.step()
    assert not is_open_at_noon(follower)

    door = await make_door()
    async with client_of(door.app) as client:
        path = "/api/market/holidays?year=2026"
        before = (await client.get(path)).json()["days"]
        await door.calendar.step()
        after = (await client.get(path)).json()["days"]
        symbol = (await client.get("/udf/symbols?symbol=TCS")).json()
    assert ["holiday: declared yesterday"] == [
        day["reason"] for day in after if day not in before
    ]
    assert "20261123" in symbol["session_holidays"]


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"schema": 2}'])
async def test_what_can_not_be_read_leaves_the_one_before(follower, board, data):
    """It is told once; the next good one is taken."""
    await board.put(declared("2026-11-23"))
    await follower.step()
    await board.put(data)
    with capture_logs() as lines:
        await follower.step()
        await follower.step()
    assert not is_open_at_noon(follower)
    assert ["calendar.not_read"] == [line["event"] for line in lines]
    await board.put(builtin_calendar_file())
    await follower.step()
    assert is_open_at_noon(follower)


async def test_a_calendar_that_runs_out_is_told_every_trading_day(follower, clock):
    """From two weeks before its end on."""
    clock.advance((follower.days_left() - WARN_DAYS) * DAY_MS)
    with capture_logs() as lines:
        await follower.step()
        assert [] == lines
        clock.advance(DAY_MS + DAY_MS // 2)
        await follower.step()
        await follower.step()
        clock.advance(3 * DAY_MS)  # over a weekend
        await follower.step()
    assert [13, 10] == [
        line["days"] for line in lines if line["event"] == "calendar.runs_out"
    ]
    assert 10 == follower.days_left()
