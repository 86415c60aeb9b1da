"""The packaged calendar against what the exchange published, row by row."""

import datetime as dt

import pytest

from bse_shared.sessions.session import DAY_MS, MINUTE_MS, Phase, midnight_ms


# By BSE's lists of 2025 and 2026 (notice 20251212-8 and its amendment), weekdays only.
CLOSED = {
    2025: "26 Feb, 14 Mar, 31 Mar, 10 Apr, 14 Apr, 18 Apr, 1 May, 15 Aug, 27 Aug,"
    " 2 Oct, 22 Oct, 5 Nov, 25 Dec",
    2026: "15 Jan, 26 Jan, 3 Mar, 26 Mar, 31 Mar, 3 Apr, 14 Apr, 1 May, 28 May,"
    " 26 Jun, 14 Sep, 2 Oct, 20 Oct, 10 Nov, 24 Nov, 25 Dec",
}
# On a Saturday, a holiday, and two Sundays; the times of the last were not told.
SPECIAL = {
    dt.date(2025, 2, 1): True,
    dt.date(2025, 10, 21): True,
    dt.date(2026, 2, 1): True,
    dt.date(2026, 11, 8): False,
}


def days_of(year):
    """All dates of a year."""
    first = dt.date(year, 1, 1)
    return [
        first + dt.timedelta(days)
        for days in range((dt.date(year + 1, 1, 1) - first).days)
    ]


def phases_of(bse, date, *, closing_auction_scrip=False):
    """The phases of a day as `09:00 pre_open`, each where it begins."""
    starts_ms, found = midnight_ms(date.toordinal()), []
    for at_ms in range(starts_ms, starts_ms + DAY_MS, MINUTE_MS):
        session = bse.session_at(at_ms)
        phase = session.scrip_phase(closing_auction_scrip=closing_auction_scrip)
        if not found or found[-1][1] != phase:
            minutes = (at_ms - starts_ms) // MINUTE_MS
            found.append((f"{minutes // 60:02d}:{minutes % 60:02d}", phase))
    return [f"{at} {phase}" for at, phase in found[1:]]


@pytest.mark.parametrize("year", CLOSED)
def test_every_day_of_the_year_is_as_published(bse, year):
    """Each weekday trades but the holidays; no day of a weekend does but the special ones."""
    dates = [
        dt.datetime.strptime(f"{day.strip()} {year}", "%d %b %Y").date()  # noqa: DTZ007 - a date
        for day in CLOSED[year].split(",")
    ]
    assert len(set(dates)) == len(dates)
    assert all(date.weekday() < 5 for date in dates)
    for date in days_of(year):
        trades = "open" in "".join(phases_of_noon(bse, date))
        expected = SPECIAL.get(date, date.weekday() < 5 and date not in dates)
        assert expected == trades, date


def phases_of_noon(bse, date):
    """The phases at 11:00 and 14:00: in one of them every session was open so far."""
    starts_ms = midnight_ms(date.toordinal())
    return [
        bse.session_at(starts_ms + hour * 60 * MINUTE_MS).phase for hour in (11, 14)
    ]


OPENING = ["09:00 pre_open", "09:15 open"]
BEFORE = [*OPENING, "15:30 closing", "15:40 post_close", "16:00 closed"]
SINCE_AUGUST = [*OPENING, "15:30 closing", "15:50 post_close", "16:00 closed"]


@pytest.mark.parametrize(
    ("date", "market", "closing_auction"),
    [
        ("2026-07-31", BEFORE, BEFORE),
        (
            "2026-08-03",
            SINCE_AUGUST,
            [
                *OPENING,
                "15:15 closing_auction",
                "15:35 closing",
                "15:50 post_close",
                "16:00 closed",
            ],
        ),
        (
            "2026-12-04",
            SINCE_AUGUST,
            [
                *OPENING,
                "15:15 closing_auction",
                "15:35 closing",
                "15:50 post_close",
                "16:00 closed",
            ],
        ),
        (
            "2026-12-07",
            SINCE_AUGUST,
            [
                *OPENING,
                "15:30 closing_auction",
                "15:40 closing",
                "15:50 post_close",
                "16:00 closed",
            ],
        ),
    ],
)
def test_the_three_regimes_of_2026(bse, date, market, closing_auction):
    """On the last and first day of each."""
    day = dt.date.fromisoformat(date)
    assert market == phases_of(bse, day)
    assert closing_auction == phases_of(bse, day, closing_auction_scrip=True)


@pytest.mark.parametrize("closing_auction_scrip", [False, True])
@pytest.mark.parametrize(
    "date", ["2026-07-31", "2026-08-03", "2026-12-04", "2026-12-07", "2025-10-21"]
)
def test_every_boundary_holds_to_the_millisecond(bse, date, closing_auction_scrip):
    """One before it the old phase, from it on the new one; and it was announced."""
    day = dt.date.fromisoformat(date)
    starts_ms, before = midnight_ms(day.toordinal()), Phase.CLOSED
    found = phases_of(bse, day, closing_auction_scrip=closing_auction_scrip)
    assert found
    for row in found:
        (hours, minutes), phase = row[:5].split(":"), row[6:]
        at_ms = starts_ms + (int(hours) * 60 + int(minutes)) * MINUTE_MS
        last, first, second = (bse.session_at(at_ms + n) for n in (-1, 0, 1000))
        phases = [
            each.scrip_phase(closing_auction_scrip=closing_auction_scrip)
            for each in (last, first, second)
        ]
        assert [before, phase, phase] == phases
        assert last.phase == first.phase or last.next_change_at_ms == at_ms
        before = phase


def test_the_sessions_of_muhurat(bse):
    """2025 as notified; 2026 has no times until they are."""
    assert ["13:30 pre_open", "13:45 open", "14:45 closed"] == phases_of(
        bse, dt.date(2025, 10, 21)
    )
    assert [] == phases_of(bse, dt.date(2026, 11, 8))


OLD_PRE_OPEN = ["09:00 order_entry", "09:08 matching", "09:12 buffer"]
NEW_PRE_OPEN = [
    "09:00 order_entry",
    "09:05 limit_only",
    "09:10 matching",
    "09:12 transition",
]
AT_15_15 = [
    "15:15 transition",
    "15:20 order_entry",
    "15:25 limit_only",
    "15:30 matching",
]
AT_15_30 = ["15:30 transition", "15:31 order_entry", "15:36 limit_only"]


def stages_of(calendar, day, name):
    """When each stage begins, and when none follows."""
    found, before = [], None
    for minute in range(24 * 60):
        at_ms = midnight_ms(day.toordinal()) + minute * MINUTE_MS
        stage = getattr(calendar.session_at(at_ms), name)
        assert stage == getattr(calendar.session_at(at_ms + MINUTE_MS - 1), name)
        if stage != before:
            found.append(f"{minute // 60:02d}:{minute % 60:02d} {stage or 'none'}")
        before = stage
    return found


@pytest.mark.parametrize(
    ("date", "pre_open", "auction"),
    [
        ("2025-06-02", OLD_PRE_OPEN, []),
        ("2026-07-31", OLD_PRE_OPEN, []),
        ("2026-08-03", OLD_PRE_OPEN, [*AT_15_15, "15:35 none"]),
        ("2026-09-04", OLD_PRE_OPEN, [*AT_15_15, "15:35 none"]),
        ("2026-09-07", NEW_PRE_OPEN, [*AT_15_15, "15:35 none"]),
        ("2026-12-04", NEW_PRE_OPEN, [*AT_15_15, "15:35 none"]),
        ("2026-12-07", NEW_PRE_OPEN, [*AT_15_30, "15:40 none"]),
    ],
)
def test_what_is_done_in_the_call_auctions(bse, date, pre_open, auction):
    """On the last and first day of each kind; scrips outside of the closing auction have the morning's only."""
    day = dt.date.fromisoformat(date)
    morning = [*pre_open, "09:15 none"]
    assert morning == stages_of(bse, day, "stage")
    assert [*morning, *auction] == stages_of(bse, day, "closing_auction_stage")


def test_a_day_of_its_own_hours_has_no_stages(bse):
    """Those of Muhurat were not notified; a whole day on a weekend has the normal ones."""
    assert [] == stages_of(bse, dt.date(2025, 10, 21), "stage")
    assert [*OLD_PRE_OPEN, "09:15 none"] == stages_of(bse, dt.date(2025, 2, 1), "stage")
