"""The packaged calendar on real dates, as the exchange announced them."""

import json
from importlib.resources import files

import pytest

from bse_shared.sessions.calendar import (
    CalendarError,
    builtin_calendar,
    parse_calendar,
)


# Indian time, the market's phase, the phase of closing-auction scrips, the reason.
MOMENTS = [
    # A normal day before the closing auction existed.
    ("2026-07-31 08:59", "closed", "closed", "before pre-open"),
    ("2026-07-31 09:00", "pre_open", "pre_open", "pre-open"),
    ("2026-07-31 09:15", "open", "open", "continuous session"),
    ("2026-07-31 15:29", "open", "open", "continuous session"),
    ("2026-07-31 15:30", "closing", "closing", "closing"),
    ("2026-07-31 15:40", "post_close", "post_close", "post-close"),
    ("2026-07-31 16:00", "closed", "closed", "after post-close"),
    # The closing auction inside market hours.
    ("2026-08-03 15:14", "open", "open", "continuous session"),
    ("2026-08-03 15:15", "open", "closing_auction", "continuous session"),
    ("2026-12-04 15:30", "closing", "closing_auction", "closing"),
    ("2026-12-04 15:35", "closing", "closing", "closing"),
    ("2026-12-04 15:49", "closing", "closing", "closing"),
    ("2026-12-04 15:50", "post_close", "post_close", "post-close"),
    # The closing auction after market hours.
    ("2026-12-07 15:15", "open", "open", "continuous session"),
    ("2026-12-07 15:30", "closing", "closing_auction", "closing"),
    ("2026-12-07 15:40", "closing", "closing", "closing"),
    ("2026-12-07 15:50", "post_close", "post_close", "post-close"),
    # No trading.
    ("2026-11-24 11:00", "closed", "closed", "holiday: Guru Nanak Jayanti"),
    ("2026-01-15 11:00", "closed", "closed", "holiday: Municipal elections in Maharashtra"),
    ("2025-10-22 13:45", "closed", "closed", "holiday: Diwali Balipratipada"),
    ("2026-11-21 11:00", "closed", "closed", "weekend"),
    # Budget days on a weekend.
    ("2025-02-01 11:00", "open", "open", "special session: Union Budget"),
    ("2026-02-01 08:00", "closed", "closed", "before special session: Union Budget"),
    ("2026-02-01 09:00", "pre_open", "pre_open", "special session: Union Budget"),
    ("2026-02-01 15:29", "open", "open", "special session: Union Budget"),
    ("2026-02-01 16:00", "closed", "closed", "after special session: Union Budget"),
    # The Diwali hour, with its times and without.
    ("2025-10-21 09:15", "closed", "closed", "before special session: Muhurat trading"),
    ("2025-10-21 13:30", "pre_open", "pre_open", "special session: Muhurat trading"),
    ("2025-10-21 14:44", "open", "open", "special session: Muhurat trading"),
    ("2025-10-21 14:45", "closed", "closed", "after special session: Muhurat trading"),
    (
        "2026-11-08 18:30",
        "closed",
        "closed",
        "special session: Muhurat trading, times not notified",
    ),
]  # fmt: skip


@pytest.mark.parametrize("expected", MOMENTS, ids=lambda row: row[0])
def test_real_moments(bse, ist, expected):
    """The packaged calendar gives the announced phase and says why."""
    moment, market, auction, reason = expected
    session = bse.session_at(ist(moment))
    assert session.phase == market
    assert session.closing_auction_phase == auction
    assert session.reason == reason
    assert session.covered


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-23 09:14", "2026-11-23 09:15"),
        ("2026-11-23 09:15", "2026-11-25 09:15"),  # the next one, over a holiday
        ("2026-11-20 16:00", "2026-11-23 09:15"),
        ("2026-10-01 15:30", "2026-10-05 09:15"),  # Friday holiday, long weekend
        ("2026-12-24 12:00", "2026-12-28 09:15"),
        ("2026-04-02 17:00", "2026-04-06 09:15"),
        ("2025-10-20 16:00", "2025-10-21 13:45"),
        ("2025-10-21 14:45", "2025-10-23 09:15"),
        ("2026-01-30 18:00", "2026-02-01 09:15"),
        ("2026-11-07 12:00", "2026-11-09 09:15"),  # no times known for the 8th
        ("2025-12-31 18:00", "2026-01-01 09:15"),
    ],
)
def test_next_open(bse, ist, now, opens):
    """The next continuous session is found over weekends, holidays and specials."""
    assert bse.session_at(ist(now)).next_open_at_ms == ist(opens)


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        ("2026-11-23 15:10", "2026-11-23 15:30"),  # the market's phase, not a scrip's
        ("2026-11-23 15:20", "2026-11-23 15:30"),
        ("2026-11-23 15:30", "2026-11-23 15:50"),
        ("2026-11-23 16:00", "2026-11-25 09:00"),
        ("2025-10-18 00:00", "2025-10-20 09:00"),
        ("2025-10-21 00:00", "2025-10-21 13:30"),
        ("2026-12-31 16:00", "2027-01-01 09:00"),
    ],
)
def test_next_change(bse, ist, now, changes):
    """The next change is the end of the phase, or the next pre-open."""
    assert bse.session_at(ist(now)).next_change_at_ms == ist(changes)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-23 08:59", "2026-11-20"),
        ("2026-11-23 09:00", "2026-11-23"),
        ("2026-11-23 23:59", "2026-11-23"),
        ("2026-11-24 12:00", "2026-11-23"),
        ("2026-11-25 08:59", "2026-11-23"),
        ("2026-02-02 08:00", "2026-02-01"),
        ("2026-11-08 19:00", "2026-11-06"),
        ("2025-01-01 08:00", "2024-12-31"),
    ],
)
def test_trading_day(bse, ist, now, day):
    """Until the pre-open begins, the trading day is the last one that traded."""
    assert bse.session_at(ist(now)).trading_day == day


@pytest.mark.parametrize(
    ("now", "special"),
    [
        ("2026-02-01 03:00", True),
        ("2026-11-08 03:00", True),
        ("2026-11-09 12:00", False),
        ("2025-10-22 12:00", False),
    ],
)
def test_special_day(bse, ist, now, special):
    """A day with a session of its own is special all day, times known or not."""
    assert bse.session_at(ist(now)).special is special


def test_last_covered_day(bse, ist):
    """On the last covered evening nobody is told when the market opens next."""
    assert bse.session_at(ist("2026-12-30 16:00")).next_open_at_ms == ist(
        "2026-12-31 09:15"
    )
    session = bse.session_at(ist("2026-12-31 16:00"))
    assert session.covered
    assert session.next_open_at_ms is None
    assert session.calendar_ends_in_days == 0


@pytest.mark.parametrize(
    ("now", "phase", "days"),
    [
        ("2027-01-01 09:15", "open", -1),
        ("2027-01-02 09:15", "closed", -2),
        ("2027-01-26 15:35", "closing", -26),
        ("2024-12-31 15:35", "closing", 730),
        ("2001-01-01 12:00", "open", 9495),
    ],
)
def test_dates_not_covered(bse, ist, now, phase, days):
    """Outside its dates the calendar goes by the weekday and says it does not know."""
    session = bse.session_at(ist(now))
    assert session.phase == phase
    assert session.reason == "calendar does not cover this date"
    assert not session.covered
    assert session.next_open_at_ms is None
    assert session.calendar_ends_in_days == days


def test_bytes_and_decoded_content_agree(bse, ist):
    """A calendar reads the same from JSON bytes and from the decoded mapping."""
    raw = files("bse_shared.sessions").joinpath("bse_equity.json").read_bytes()
    decoded = parse_calendar(json.loads(raw))
    now = ist("2026-11-23 15:20")
    assert parse_calendar(raw).session_at(now) == bse.session_at(now)
    assert decoded.session_at(now) == bse.session_at(now)


def test_builtin_says_what_it_covers(bse):
    """The packaged calendar is read once and names its market and its range."""
    assert builtin_calendar() is bse
    assert bse.market == "BSE equity"
    covered = (bse.covers_from.isoformat(), bse.covers_until.isoformat())
    assert covered == ("2025-01-01", "2026-12-31")
    assert bse.as_of.isoformat() == "2026-11-22"


@pytest.mark.parametrize(("listed", "known"), [(None, None), ([], False), ([7], True)])
def test_which_scrips_close_by_auction_is_told_or_not_known(facts, listed, known):
    """Nobody is in it by default, and nobody is out of it."""
    facts["closing_auction_scrips"] = listed

    assert known is parse_calendar(facts).closes_by_auction(7)


@pytest.mark.parametrize("code", [0, -1, 10_000_000, "7", 7.5])
def test_what_is_no_scrip_code_is_refused(facts, code):
    """With its place in the file."""
    facts["closing_auction_scrips"] = [500325, code]
    with pytest.raises(CalendarError, match=r"closing_auction_scrips"):
        parse_calendar(facts)
