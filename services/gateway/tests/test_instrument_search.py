"""Finding scrips."""

import pytest

from bse_gateway.instrument_search import InstrumentIndex
from bse_shared.quotes.instrument import Instrument, InstrumentMaster


SCRIPS = [
    Instrument(500325, "RELIANCE", "INE002A01018", "Reliance Industries Ltd", "A"),
    Instrument(
        532712, "RCOM", "", "Reliance Communications Ltd", "B", "SMALLCAP|TELECOM"
    ),
    Instrument(542655, "RPOWERX", "", "Power of Reliance", "B", "SMALLCAP"),
    Instrument(500999, "PRELIA", "", "Something Else", "T"),
    Instrument(700000, "ZED", "", "", "Z"),
]


@pytest.fixture
def index():
    """Five scrips."""
    return InstrumentIndex(InstrumentMaster(SCRIPS, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relia", ["RELIANCE", "RCOM", "RPOWERX", "PRELIA"]),
        ("RELIANCE", ["RELIANCE", "RCOM", "RPOWERX"]),
        ("532712", ["RCOM"]),
        ("ine002a01018", ["RELIANCE"]),
        ("power", ["RPOWERX"]),
        (" zed ", ["ZED"]),
        ("nothing", []),
        ("", []),
        ("%_*", []),
    ],
)
def test_the_best_match_comes_first(index, text, expected):
    """The scrip itself, then beginnings of symbols, of names, of words, then anything within."""
    assert expected == [each.symbol for each in index.search(text, 10)]


def test_no_more_than_asked_for(index):
    """The best ones."""
    assert ["RELIANCE"] == [each.symbol for each in index.search("relia", 1)]


@pytest.mark.parametrize("limit", range(1, 7))
@pytest.mark.parametrize("selection", [None, SCRIPS[:3]])
def test_pages_hold_every_scrip_once_in_the_order_of_codes(index, limit, selection):
    """Whatever the size of a page."""
    seen, after = [], 0
    while after is not None:
        page, after = index.page(selection, after, limit)
        assert len(page) <= limit
        seen += page
    assert sorted(selection or SCRIPS) == seen


def test_indices_are_counted(index):
    """By name."""
    assert {"SMALLCAP": 2, "TELECOM": 1} == index.indices
