"""Days and holidays."""

import pytest

from bse_gateway.rest.replies.calendar import DaysReply, HolidaysReply


async def test_days_tell_their_sessions(client):
    """From a date on."""
    answer = await client.get("/api/market/days?from=2026-11-20&days=3")
    found = DaysReply.model_validate_json(answer.content)
    assert [True, False, False] == [day.is_trading_day for day in found.days]
    assert "open" in {each.phase for each in found.days[0].sessions}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 7),
        ("?from=2026-11-20", 7),
        ("?days=1", 1),
        ("?from=2189-12-31&days=31", 31),
    ],
)
async def test_what_is_left_out_is_filled_in(client, query, count):
    """A week from today."""
    answer = await client.get(f"/api/market/days{query}")
    assert count == len(answer.json()["days"])


async def test_holidays_of_a_year(client):
    """And of this year, where none is named."""
    answer = await client.get("/api/market/holidays?year=2026")
    found = HolidaysReply.model_validate_json(answer.content)
    assert "2026-12-25" in {day.date.isoformat() for day in found.days}
    assert 200 == (await client.get("/api/market/holidays")).status_code


@pytest.mark.parametrize(
    "path",
    [
        "/api/market/days?days=0",
        "/api/market/days?days=32",
        "/api/market/days?from=1970-12-31",
        "/api/market/days?from=9999-12-31",
        "/api/market/days?from=86400",
        "/api/market/days?from=yesterday",
        "/api/market/holidays?year=1",
        "/api/market/holidays?year=9999",
    ],
)
async def test_mistakes_are_problems(client, path):
    """Never an error of ours."""
    answer = await client.get(path)
    assert (422, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
