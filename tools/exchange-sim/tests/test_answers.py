"""Answers about one scrip, the master and the indices have the recorded shapes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bse_exchange_sim.answers.catalogue import Catalogue
from bse_exchange_sim.simulator import Simulator


WEB = "/BseIndiaAPI/api"
REAL_TIME = "/RealTimeBseIndiaAPI/api"


def test_quote_header(ask: Any) -> None:
    """The header has strings without volume, its time to the minute."""
    answer = ask(f"{WEB}/getScripHeaderData/w", scripcode="500209")
    header = answer["Header"]
    assert answer["CurrRate"]["LTP"] == header["LTP"]
    assert header["Ason"] == "30 Sep 26 | 10:59"
    assert header["PrevClose"] == "1005.50"
    assert answer["Cmpname"]["ShortN"] == "infy"
    assert (len(header), len(answer["Cmpname"])) == (32, 8)


@pytest.mark.parametrize("code", ["4858", "", "abc", "9" * 5_000])
def test_unknown_code_answers_dashes_and_nulls(ask: Any, code: str) -> None:
    """An unknown scrip is not an error at the exchange."""
    answer = ask(f"{WEB}/getScripHeaderData/w", scripcode=code)
    assert answer["CurrRate"]["LTP"] == "-"
    assert answer["Header"]["Ason"] == "-"
    assert set(answer["Cmpname"].values()) == {None}
    assert answer["Header"]["LTP"] is None
    for name in ("StockTrading", "HighLow", "StockReachGraph"):
        assert "-" in ask(f"{WEB}/{name}/w", scripcode=code).values()


def test_stock_trading_units_and_defect(ask: Any) -> None:
    """Units stand beside the values; the upper band is the exact volume."""
    rows = {row["scrip_cd"]: row for row in ask.table("AllMkt")}
    liquid = ask(f"{WEB}/StockTrading/w", scripcode="500209")
    assert (liquid["Turnoverin"], liquid["TTQin"]) == ("(Cr.)", "(Lakh)")
    upper, lower = liquid["CktLimit"].split("/")
    assert float(upper.replace(",", "")) == rows[500209]["trd_vol"]
    assert lower == "904.95"
    thin = ask(f"{WEB}/StockTrading/w", scripcode="532827")
    assert (thin["TTQin"], thin["TTQ"]) == ("", str(rows[532827]["trd_vol"]))


def test_high_low_holds_today(ask: Any) -> None:
    """The 52-week range includes the day's."""
    row = next(row for row in ask.table("AllMkt") if row["scrip_cd"] == 500325)
    answer = ask(f"{WEB}/HighLow/w", scripcode="500325")
    assert float(answer["Fifty2WkHigh_adj"]) >= row["highrate"]
    assert float(answer["Fifty2WkLow_adj"]) <= row["lowrate"]
    assert answer["Fifty2WkHigh_adjDt"].startswith(" (")


def test_graph_is_json_inside_json(ask: Any, clock: Any) -> None:
    """Minutes come newest first, stamped :59; their volumes add up."""
    clock.forward(20)
    answer = ask(f"{WEB}/StockReachGraph/w", scripcode="500325", flag="0")
    points = json.loads(answer["Data"])
    assert len(points) == 150
    assert points[0]["dttm"] == "Wed Sep 30 2026 10:59:59"
    assert points[-1]["dttm"] == "Wed Sep 30 2026 08:30:59"
    row = next(row for row in ask.table("AllMkt") if row["scrip_cd"] == 500325)
    assert 0 < sum(int(point["vole"]) for point in points) <= row["trd_vol"]


def test_depth_is_null_when_closed(
    simulate: Callable[..., Simulator], ask_of: Any, clock: Any
) -> None:
    """Five flat levels while open; after the close the body is null."""
    ask = ask_of(simulate(speed=100_000.0, mode="replay"))
    levels = ask(f"{REAL_TIME}/MarketDepth/w", scripcode="500209")
    assert len(levels) == 23
    clock.forward(5)
    assert ask(f"{WEB}/MarketDepth/w", scripcode="500209") is None


def test_header_time_after_the_close(
    simulate: Callable[..., Simulator], ask_of: Any, clock: Any
) -> None:
    """When the day is over the header is stamped 16:00."""
    ask = ask_of(simulate(speed=100_000.0, mode="replay"))
    clock.forward(5)
    answer = ask(f"{WEB}/getScripHeaderData/w", scripcode="500209")
    assert answer["Header"]["Ason"] == "30 Sep 26 | 16:00"


def test_master_lists_and_filters(ask: Any) -> None:
    """The master has everybody, or one group, or one code."""
    path = f"{WEB}/ListofScripData/w"
    assert len(ask(path, status="Active", segment="Equity")) == 300
    assert {row["GROUP"] for row in ask(path, group="B")} == {"B"}
    (row,) = ask(path, scripcode="500209")
    assert (row["scrip_id"], row["ISIN_NUMBER"]) == ("INFY", "INE009A01021")
    assert (row["FACE_VALUE"], row["INDUSTRY"]) == ("5.00", None)


def test_search_answers_html_in_a_string(ask: Any) -> None:
    """A match is a list item, no match a sentence."""
    path = f"{WEB}/PeerSmartSearch/w"
    found = ask(path, text="infy")
    assert found.startswith(
        "<li class='quotemenu quotemenuselect' ng-click=\"liclick('500209'"
    )
    assert (
        "<strong>INFY</strong>&nbsp;&nbsp;&nbsp;INE009A01021&nbsp;&nbsp;&nbsp;500209"
        in found
    )
    assert "<strong>M&amp;M</strong>" in ask(path, text="M&M")
    assert ask(path, text="no such") == ask(path, text="") == "No Match Found"


def test_sensex_has_signs_and_commas(ask: Any) -> None:
    """Index values are strings with commas and explicit signs."""
    (row,) = ask(f"{REAL_TIME}/GetSensexDatanew/w")
    assert (row["indxnm"], row["indxcode"], row["Prev_Close"]) == (
        "BSE SENSEX",
        "16",
        "82,000.00",
    )
    assert row["chg"][0] in "+-"
    low, last, high = (
        float(row[key].replace(",", "")) for key in ("Low", "ltp", "High")
    )
    assert low <= last <= high
    assert len(ask(f"{REAL_TIME}/GetSensexData/w")) == 2


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/bseindiaapi/API/getmktdata/w", "GetMktData"),
        ("/BseIndiaAPI/api/GetMktData", "other"),
        ("/RealTimeBseIndiaAPI/api/GetMktData/w", "other"),
        ("/BseIndiaAPI/api/Nothing/w", "other"),
    ],
)
def test_paths_are_found_in_any_case(path: str, name: str) -> None:
    """The server ignores case, but not the rest of the path."""
    assert Catalogue().name(path) == name
