"""The answer record: what is open, per scrip and overall, and the stand-in's."""

import pytest

from bse_shared.sessions.session import Phase, always_open, iso_date, midnight_ms


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 08:59", False),
        ("2026-11-23 09:00", True),
        ("2026-11-23 12:00", True),
        ("2026-11-23 15:34", True),  # auction scrips still move, the market closes
        ("2026-11-23 15:35", False),
        ("2026-11-23 15:55", False),
        ("2026-12-07 15:39", True),
        ("2026-12-07 15:40", False),
        ("2026-07-31 15:30", False),
        ("2026-11-24 12:00", False),
    ],
)
def test_is_open(bse, ist, moment, is_open):
    """Polling time lasts from the pre-open to the end of the closing auction."""
    assert bse.session_at(ist(moment)).is_open is is_open


@pytest.mark.parametrize(
    ("moment", "auction_scrip", "phase"),
    [
        ("2026-11-23 15:20", True, Phase.CLOSING_AUCTION),
        ("2026-11-23 15:20", False, Phase.OPEN),
        ("2026-07-31 15:20", True, Phase.OPEN),
        ("2026-12-07 15:20", True, Phase.OPEN),
        ("2026-12-07 15:35", True, Phase.CLOSING_AUCTION),
        ("2026-12-07 15:35", False, Phase.CLOSING),
    ],
)
def test_scrip_phase(bse, ist, moment, auction_scrip, phase):
    """Scrips of the closing auction leave continuous trading on their own."""
    session = bse.session_at(ist(moment))
    assert session.scrip_phase(closing_auction_scrip=auction_scrip) is phase


def test_phases_in_which_prices_move():
    """Prices move before the open, while open, and in the closing auction."""
    moving = {phase for phase in Phase if phase.prices_move}
    assert moving == {Phase.PRE_OPEN, Phase.OPEN, Phase.CLOSING_AUCTION}


@pytest.mark.parametrize(
    ("moment", "days", "warns"),
    [
        ("2026-12-01 12:00", 30, False),
        ("2026-12-02 00:00", 30, True),
        ("2026-12-31 12:00", 0, False),
        ("2027-01-01 12:00", 0, True),
        ("2024-06-03 12:00", 30, True),
    ],
)
def test_runs_out_within(bse, ist, moment, days, warns):
    """The warning comes when fewer days are covered than asked for."""
    assert bse.session_at(ist(moment)).runs_out_within(days) is warns


def test_stand_in_never_closes(ist):
    """The stand-in exchange is open on a holiday night and needs no calendar."""
    session = always_open(ist("2026-11-24 03:00"))
    assert session.phase is Phase.OPEN
    assert session.is_open
    assert session.covered
    assert session.trading_day == "2026-11-24"
    assert session.reason == "continuous session of the stand-in exchange"
    assert session.next_change_at_ms is None
    assert session.next_open_at_ms is None
    assert not session.runs_out_within(10_000)


@pytest.mark.parametrize("now", [-1, 1_795_428_000_000_000, 10**30])
def test_instants_in_other_units_are_refused(bse, now):
    """Microseconds and negative instants are refused, not read as a far date."""
    with pytest.raises(ValueError, match="not epoch milliseconds"):
        bse.session_at(now)
    with pytest.raises(ValueError, match="not epoch milliseconds"):
        always_open(now)


def test_indian_days_start_at_half_past_six_in_utc(ist):
    """The Indian date turns at 18:30 UTC."""
    midnight = ist("2026-11-24 00:00")
    assert always_open(midnight - 1).trading_day == "2026-11-23"
    assert always_open(midnight).trading_day == "2026-11-24"
    assert midnight_ms(739944) == ist(f"{iso_date(739944)} 00:00")
