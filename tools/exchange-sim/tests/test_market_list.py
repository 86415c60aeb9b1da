"""`GetMktData` lists the market, an index or a group."""

from typing import Any

import pytest


ROW_KEYS = [
    "RN",
    "scrip_cd",
    "scripname",
    "LONG_NAME",
    "scrip_grp",
    "openrate",
    "highrate",
    "lowrate",
    "ltradert",
    "prevdayclose",
    "change_val",
    "change_percent",
    "index_code",
    "trd_val",
    "trd_vol",
    "nooftrd",
    "trend",
    "dt_tm",
    "PRIORITY_FLAG",
    "URL",
    "NSUrl",
]


def test_market_list_holds_every_scrip_with_all_keys(ask: Any) -> None:
    """AllMkt lists all scrips by turnover, numbered, prices as numbers."""
    rows = ask.table("AllMkt")
    assert len(rows) == 300
    assert list(rows[0]) == ROW_KEYS
    assert [row["RN"] for row in rows] == list(range(1, 301))
    values = [row["trd_val"] for row in rows]
    assert values == sorted(values, reverse=True)
    assert all(isinstance(row["ltradert"], float) for row in rows)


def test_market_row_is_consistent(ask: Any) -> None:
    """A traded row's figures fit: low <= last <= high, lakh = price x volume."""
    for row in ask.table("gainer"):
        assert row["lowrate"] <= row["ltradert"] <= row["highrate"]
        change = row["ltradert"] - row["prevdayclose"]
        assert row["change_val"] == pytest.approx(change, abs=0.001)
        lakh = row["trd_vol"] * row["ltradert"] / 1e5
        assert row["trd_val"] == pytest.approx(lakh, rel=0.2, abs=0.02)
        assert "2026-09-30T08:30:00" <= row["dt_tm"] <= "2026-09-30T11:00:00"


def test_untraded_scrip_shows_its_previous_close(ask: Any) -> None:
    """Before its first trade a scrip has no volume and is missing in gainer."""
    traded = {row["scrip_cd"] for row in ask.table("gainer")}
    untraded = [row for row in ask.table("AllMkt") if row["scrip_cd"] not in traded]
    assert untraded
    for row in untraded:
        assert row["ltradert"] == row["prevdayclose"]
        assert (row["trd_vol"], row["nooftrd"], row["openrate"]) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("kind", "value", "size"),
    [
        ("index", "S&P BSE SENSEX", 30),
        ("index", "bse sensex", 30),
        ("index", "BSE 100", 100),
        ("index", "BSE 500", 0),
        ("index", "All", 100),
        ("nothing", "All", 0),
    ],
)
def test_market_list_can_be_filtered(
    ask: Any, kind: str, value: str, size: int
) -> None:
    """An index lists its members; unknown filters list nothing."""
    assert len(ask.table(kind, value)) == size


def test_group_filter(ask: Any) -> None:
    """A group lists only its own scrips."""
    assert {row["scrip_grp"] for row in ask.table("group", "X")} == {"X"}


def test_rows_are_kept_only_until_the_scrip_moves(
    ask: Any, ask_of: Any, clock: Any
) -> None:
    """A minute later the liquid rows are new and every row is still true."""
    before = {row["scrip_cd"]: row for row in ask.table("AllMkt")}
    clock.forward(60)
    after = {row["scrip_cd"]: row for row in ask.table("AllMkt")}
    fresh = ask_of(ask.simulator).table("AllMkt")
    assert list(after.values()) == fresh
    assert after[500209]["dt_tm"] > before[500209]["dt_tm"]
