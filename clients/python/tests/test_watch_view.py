"""What bse-watch paints and prints, without a hub."""

import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bse_client import (
    Connected,
    DigestMismatch,
    Disconnected,
    Gap,
    LostChanges,
    Notice,
    Quality,
    QualityChanged,
    QuoteChanged,
    Rejection,
    Restored,
    SubscriptionChanged,
)
from bse_client.answers import HubError
from bse_client.quote import Level, Quote
from bse_client.testing import heartbeat
from bse_client.testing.builders import RELIANCE, TCS
from bse_client.watch_board import FLASH_MS, RATE_WINDOW_MS, Board
from bse_client.watch_json import line_of
from bse_client.watch_text import age_text, grouped, moment_text, rupees_text, signed
from bse_client.watch_view import columns_for, painted


def a_quote(last, **more):
    """RELIANCE at this price."""
    return Quote(symbol="RELIANCE", code=500325, quality=more.pop("quality", Quality.LIVE),
                 age_ms=400, epoch=1, sequence=1, changed_at_ms=0, last_paise=last,
                 previous_close_paise=289_000, **more)  # fmt: skip


def changed(last):
    """A change to this price."""
    return QuoteChanged(a_quote(last), frozenset({"last"}))


@pytest.fixture
def board():
    """A connected board with two rows and a rejected symbol."""
    board = Board(("TCS", "500325", "NOSUCH"), started_ms=0)
    rejection = Rejection("NOSUCH", "unknown_symbol", "no scrip is called NOSUCH")
    for event in (
        Connected("s"),
        SubscriptionChanged((RELIANCE, TCS), (rejection,)),
        heartbeat(),
        changed(290_000),
    ):
        board.receive(event, 0)
    return board


def screen(board, quote, width=170, now_ms=0):
    """The picture as plain text."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    quotes = {500325: quote}
    console.print(painted(board, quotes, url="ws://hub/ws", width=width, now_ms=now_ms))
    return console.file.getvalue()


def test_the_picture(board):
    """Header, rows in the order asked for, and rejected symbols are all on the screen."""
    lines = screen(board, a_quote(290_135, volume=12_34_567)).splitlines()
    assert "connected" in lines[0]
    assert "market open (continuous trading) until 15:30 IST" in lines[0]
    assert "feed ok bse, 0.4 s old" in lines[0]
    assert lines[4].split()[0] == "TCS"
    assert lines[5].split()[:4] == ["RELIANCE", "2,901.35", "+11.35", "+0.39%"]
    assert "12,34,567" in lines[5]
    assert lines[-1] == "✗ NOSUCH: no scrip is called NOSUCH (unknown_symbol)"


def test_a_lost_connection_is_seen(board):
    """Without a connection the header says why and when, and claims nothing of the feed."""
    board.receive(Disconnected("the hub shuts down", 1.5), 1)
    board.receive(HubError(None, "not_ready", "wait"), 2)
    text = screen(board, a_quote(1, quality=Quality.STALE))
    assert "the hub shuts down; next attempt in 1.5 s" in text
    assert "feed unknown" in text
    assert "stale" in text
    assert "! not_ready: wait" in text


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Restored((1, 2), (3,)), "connected again (2 resumed, 1 anew)"),
        (DigestMismatch(1, 2, 3), "our quotes differed from the hub's 3 times"),
        (LostChanges("TCS", 532540, 5, 9), "4 changes of TCS came merged"),
        (Notice("slow_reader", 1.0, 9), "we read too slowly: at most 1 updates/s"),
        (Notice("token_expiring", expires_at_ms=1_795_341_600_000), "15:30 IST"),
        (Notice("something_new"), "something new"),
    ],
)
def test_words_of_the_hub(board, event, text):
    """What a user has to know of the stream stands on the screen, and is a line of JSON."""
    board.receive(event, 1)
    assert text in screen(board, a_quote(1))
    assert json.loads(line_of(event))["event"] in line_of(event)


def test_all_is_well_again(board):
    """A notice that we keep up again takes the complaint away; a proved state is seen."""
    board.receive(Notice("slow_reader", 1.0, 9), 1)
    board.receive(Notice("keeps_up_again", None, 9), 2)
    board.receive(heartbeat(digest=5), 3)
    text = screen(board, a_quote(1))
    assert "too slowly" not in text
    assert "verified" in text


def test_flashes(board):
    """A risen price flashes up, a fallen one down, for a moment; a first price does not."""
    assert board.direction(500325, 0) == 0
    board.receive(changed(290_005), 10)
    assert board.direction(500325, 10) == 1
    board.receive(changed(290_000), 20)
    assert board.direction(500325, 20 + FLASH_MS - 1) == -1
    assert board.direction(500325, 20 + FLASH_MS) == 0


def test_rate_and_feed_age(board):
    """The rate counts merged changes too and forgets; the feed ages between heartbeats."""
    board.receive(QuoteChanged(a_quote(1), frozenset(), conflated=8), 500)
    assert board.rate(2_000) == 5
    assert board.rate(500 + RATE_WINDOW_MS) == 0
    assert board.feed_age_ms(2_000) == 2_400


@given(st.integers(0, 300), st.booleans())
def test_columns_fit(width, has_day):
    """Whatever the width, price, percent and quality stay, and the rest fits."""
    columns = columns_for(width, has_day=has_day)
    assert {"last", "%", "quality"} <= {column.title for column in columns}
    room = sum(column.width + 2 for column in columns)
    assert room <= max(width - 16, 34)


@given(st.integers(-(10**15), 10**15))
def test_grouping(number):
    """Groups lose no digit; three digits end a number, pairs lead to them."""
    text = grouped(number)
    assert int(text.replace(",", "")) == number
    tail = text.lstrip("-").split(",")
    assert len(tail[-1]) == 3 or len(tail) == 1
    assert all(len(pair) == 2 for pair in tail[1:-1])


def test_texts():
    """Amounts, changes, ages and moments as people here write them."""
    assert rupees_text(Decimal("1234567.05")) == "12,34,567.05"
    assert rupees_text(None) == signed(None) == age_text(None) == "–"
    assert (signed(Decimal("0.05"), "%"), signed(Decimal("-1.50"))) == (
        "+0.05%",
        "-1.50",
    )
    ages = [age_text(ms) for ms in (0, 9_900, 59_000, 61_000, 7_200_000)]
    assert ages == ["0.0 s", "9.9 s", "59 s", "1 min", "2 h"]
    assert moment_text(1_795_341_600_000) == "15:30 IST"
    assert moment_text(None) == moment_text(10**18) == ""


def test_json_lines():
    """Each change is a line of exact JSON; heartbeats are none."""
    quote = a_quote(290_140, bids=(Level(5, 1),))
    line = line_of(QuoteChanged(quote, frozenset({"last"})))
    assert '"last":2901.40,' in line
    assert json.loads(line)["bids"] == [[0.05, 1]]
    events = [
        QualityChanged(quote, Quality.LIVE, Quality.STALE),
        Gap("RELIANCE", 500325, 1, 3),
        SubscriptionChanged((RELIANCE,), (Rejection("X", "unknown_symbol", "no"),)),
        Connected("s"),
        Disconnected("gone", 0.25),
        HubError(None, "not_ready", "wait"),
    ]
    kinds = [json.loads(line_of(event))["event"] for event in events]
    assert kinds == [
        "quality",
        "gap",
        "subscriptions",
        "connected",
        "disconnected",
        "error",
    ]
    assert line_of(heartbeat()) is None
