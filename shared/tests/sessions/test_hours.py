"""Hours of a day that cannot be are refused, in regimes and special sessions."""

import pytest

from bse_shared.sessions.calendar import CalendarError, parse_calendar


@pytest.mark.parametrize(
    ("rows", "where", "problem"),
    [
        (
            [["pre_open", "09:00", "09:20"], ["open", "09:15", "15:30"]],
            "[1]",
            "open begins before pre_open has ended",
        ),
        (
            [["open", "09:15", "15:30"], ["pre_open", "09:00", "09:15"]],
            "[1]",
            "pre_open begins before open has ended",
        ),
        ([["open", "15:30", "09:15"]], "[0]", "open ends at 09:15, not after 15:30"),
        ([["open", "09:15", "09:15"]], "[0]", "open ends at 09:15, not after 09:15"),
        (
            [["open", "09:15", "12:00"], ["open", "12:00", "15:30"]],
            "[1]",
            "open twice in a row",
        ),
        ([["pre_open", "09:00", "09:15"]], "", "no phase named open"),
        (
            [["open", "09:15", "15:15"], ["closing_auction", "15:15", "15:35"]],
            "",
            "belongs into closing_auction_phases",
        ),
    ],
)
@pytest.mark.parametrize("group", ["regimes", "special_sessions"])
def test_impossible_hours(facts, group, rows, where, problem):
    """Overlaps, wrong order and missing phases are named with the row."""
    facts[group][0]["phases"] = rows
    with pytest.raises(CalendarError) as caught:
        parse_calendar(facts)
    assert caught.value.where == f"{group}[0].phases{where}"
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("rows", "where", "problem"),
    [
        (
            [["pre_open", "09:00", "09:15"], ["open", "09:15", "15:15"]],
            "",
            "must begin and end at the same times as phases",
        ),
        (
            [["open", "09:00", "15:20"], ["closing_auction", "15:15", "15:30"]],
            "[1]",
            "closing_auction begins before open has ended",
        ),
    ],
)
def test_impossible_auction_hours(facts, rows, where, problem):
    """The track of the closing-auction scrips is checked as the market's is."""
    facts["regimes"][0]["closing_auction_phases"] = rows
    with pytest.raises(CalendarError) as caught:
        parse_calendar(facts)
    assert caught.value.where == f"regimes[0].closing_auction_phases{where}"
    assert problem in caught.value.problem


def test_hours_up_to_both_midnights(facts, ist):
    """A session may start at midnight and last to the day's last minute."""
    facts["regimes"][0]["phases"] = [["open", "00:00", "23:59"]]
    calendar = parse_calendar(facts)
    session = calendar.session_at(ist("2030-01-01 00:00"))
    assert session.next_change_at_ms == ist("2030-01-01 23:59")
    assert session.trading_day == "2030-01-01"
    evening = calendar.session_at(ist("2030-01-01 23:59"))
    assert evening.reason == "after post-close"
    assert evening.next_open_at_ms == ist("2030-01-02 00:00")


@pytest.mark.parametrize(
    ("rows", "where", "problem"),
    [
        (
            [["order_entry", "09:08", "09:08"]],
            "[0]",
            "order_entry ends at 09:08, not after 09:08",
        ),
        (
            [["order_entry", "09:00", "09:08"], ["matching", "09:07", "09:12"]],
            "[1]",
            "matching begins before order_entry has ended",
        ),
        (
            [["order_entry", "09:10", "09:16"]],
            "[0]",
            "order_entry is outside of every call auction",
        ),
        (
            [["order_entry", "08:59", "09:10"]],
            "[0]",
            "order_entry is outside of every call auction",
        ),
        (
            [["matching", "10:00", "10:01"]],
            "[0]",
            "matching is outside of every call auction",
        ),
    ],
)
def test_impossible_stages(facts, rows, where, problem):
    """A stage has a length, a place after the one before, and an auction around it."""
    facts["regimes"][0]["phases"] = [
        ["pre_open", "09:00", "09:15"],
        ["open", "09:15", "15:30"],
    ]
    facts["regimes"][0]["stages"] = rows
    with pytest.raises(CalendarError) as caught:
        parse_calendar(facts)
    assert caught.value.where == f"regimes[0].stages{where}"
    assert problem in caught.value.problem


def test_an_auction_has_stages_only_where_there_is_one(facts):
    """Scrips that share the market's hours share its stages."""
    facts["regimes"][0]["phases"] = [["open", "09:15", "15:30"]]
    facts["regimes"][0]["closing_auction_stages"] = [["matching", "15:20", "15:25"]]
    with pytest.raises(CalendarError) as caught:
        parse_calendar(facts)
    assert caught.value.where == "regimes[0].closing_auction_stages[0]"
