"""Facts that contradict each other are refused, and what outranks what."""

import pytest

from bse_shared.sessions.calendar import CalendarError, parse_calendar


SHORT = [["open", "10:00", "11:00"]]


def regime(starts_on, phases=None, auction=None):
    """A regime row; an hour a day unless told."""
    row = {"name": "r", "starts_on": starts_on, "phases": phases or SHORT}
    return row if auction is None else {**row, "closing_auction_phases": auction}


def special(date, phases, **more):
    """A special session row."""
    return {"date": date, "name": "S", "phases": phases, **more}


@pytest.mark.parametrize(
    ("key", "value", "where", "problem"),
    [
        ("covers_until", "2029-12-31", "covers_until", "before covers_from 2030-01-01"),
        ("covers_until", "2040-01-09", "covers_until", "covers over 3660 days"),
        ("covers_until", "2151-01-01", "covers_until", "after the year 2150"),
        ("covers_from", "1989-12-31", "covers_from", "before the year 1990"),
        ("regimes", [], "regimes", "no regime for covers_from 2030-01-01"),
        ("regimes", [regime("2030-01-02")], "regimes", "no regime for covers_from"),
        (
            "regimes",
            [regime("2030-01-01"), regime("2030-01-01")],
            "regimes[1].starts_on",
            "2030-01-01 is not after 2030-01-01",
        ),
        (
            "holidays",
            [{"date": "2030-01-03", "name": "R"}, {"date": "2030-01-03", "name": "Q"}],
            "holidays[1].date",
            "2030-01-03 is listed twice",
        ),
        (
            "holidays",
            [{"date": "2030-02-01", "name": "R"}],
            "holidays[0].date",
            "2030-02-01 is outside covers_from and covers_until",
        ),
        (
            "special_sessions",
            [special("2029-12-31", "full_day")],
            "special_sessions[0].date",
            "2029-12-31 is outside",
        ),
        (
            "special_sessions",
            [special("2030-01-05", "full_day", closing_auction_phases=SHORT)],
            "special_sessions[0].closing_auction_phases",
            "needs phases of its own",
        ),
    ],
)
def test_contradictions(facts, key, value, where, problem):
    """Facts that do not fit together are named with their place."""
    facts[key] = value
    with pytest.raises(CalendarError) as caught:
        parse_calendar(facts)
    assert caught.value.where == where
    assert problem in caught.value.problem
    assert str(caught.value) == f"calendar: {where}: {caught.value.problem}"


def test_weekend_of_seven_days(facts):
    """A weekend that leaves no day for trading is refused."""
    facts["weekend"] = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]  # fmt: skip
    with pytest.raises(CalendarError, match="weekend: leaves no weekday"):
        parse_calendar(facts)


def test_special_outranks_holiday_and_weekend(facts, ist):
    """A special session opens the market on a holiday that is a Sunday."""
    facts["holidays"] = [{"date": "2030-01-06", "name": "Feast"}]
    calendar = parse_calendar(facts)
    assert calendar.session_at(ist("2030-01-06 10:30")).reason == "holiday: Feast"
    facts["special_sessions"] = [special("2030-01-06", SHORT)]
    session = parse_calendar(facts).session_at(ist("2030-01-06 10:30"))
    assert session.phase == "open"
    assert session.reason == "special session: S"


def test_two_sessions_on_one_day(facts, ist):
    """Between two short sessions the market is closed, with the next open today."""
    hours = [["open", "09:15", "10:00"], ["open", "11:30", "12:30"]]
    facts["special_sessions"] = [special("2030-01-05", hours)]
    session = parse_calendar(facts).session_at(ist("2030-01-05 10:00"))
    assert session.phase == "closed"
    assert session.reason == "between sessions of special session: S"
    assert session.next_open_at_ms == ist("2030-01-05 11:30")
    assert session.trading_day == "2030-01-05"


def test_all_days_off(facts, ist):
    """A calendar of holidays only has no next open, and still answers."""
    facts["holidays"] = [
        {"date": f"2030-01-{day:02}", "name": "Off"} for day in range(1, 32)
    ]
    session = parse_calendar(facts).session_at(ist("2030-01-02 12:00"))
    assert session.next_open_at_ms is None
    assert session.next_change_at_ms == ist("2030-02-01 09:00")
    assert session.trading_day == "2029-12-31"
