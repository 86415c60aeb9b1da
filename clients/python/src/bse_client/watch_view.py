"""Paints the board of bse-watch for a terminal, as wide as it is. Pure: board and quotes to text."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bse_client.fields import Mode, Quality
from bse_client.messages import Heartbeat
from bse_client.quote import Quote
from bse_client.watch_board import Board
from bse_client.watch_text import (
    UNKNOWN,
    age_text,
    count_text,
    moment_text,
    rupees_text,
    signed,
)


_QUALITY_STYLES = {
    Quality.LIVE: "green",
    Quality.DELAYED: "yellow",
    Quality.STALE: "bold red",
    Quality.CLOSED: "cyan",
    Quality.HALTED: "bold magenta",
    Quality.SUSPECT: "bold red reverse",
}
_FEED_STYLES = {"ok": "green", "failing": "bold red", "closed": "cyan"}
_FLASH_STYLES = {1: "on #0b4d22", -1: "on #5c1414", 0: ""}
_SEPARATOR = "  │  "


class Column(NamedTuple):
    """A column: its room in characters, its rank when room is short, and its cell."""

    title: str
    width: int
    rank: int
    in_ltp: bool
    cell: Callable[[Quote], Text]


def _money(name: str) -> Callable[[Quote], Text]:
    return lambda quote: Text(rupees_text(getattr(quote, name)))


def _last(quote: Quote) -> Text:
    return Text(rupees_text(quote.last), "bold" if quote.is_live else "dim")


def _tinted(quote: Quote, text: str) -> Text:
    change = quote.change_paise or 0
    return Text(text, "green" if change > 0 else "red" if change < 0 else "")


_COLUMNS = (
    Column("last", 12, 0, True, _last),
    Column("change", 10, 1, True, lambda q: _tinted(q, signed(q.change))),
    Column("%", 8, 0, True, lambda q: _tinted(q, signed(q.change_percent, "%"))),
    Column("open", 11, 5, False, _money("open")),
    Column("high", 11, 4, False, _money("high")),
    Column("low", 11, 4, False, _money("low")),
    Column("volume", 13, 3, False, lambda q: Text(count_text(q.volume))),
    Column("bid", 11, 2, False, _money("bid")),
    Column("bid qty", 9, 6, False, lambda q: Text(count_text(q.bid_quantity), "dim")),
    Column("ask", 11, 2, False, _money("ask")),
    Column("ask qty", 9, 6, False, lambda q: Text(count_text(q.ask_quantity), "dim")),
    Column(
        "quality", 8, 0, True, lambda q: Text(q.quality, _QUALITY_STYLES[q.quality])
    ),
    Column("age", 7, 1, True, lambda q: Text(age_text(q.age_ms))),
)
_SYMBOL_WIDTH = 14
_GUTTER = 2


def painted(
    board: Board,
    quotes: Mapping[str | int, Quote],
    *,
    url: str,
    width: int,
    now_ms: float,
) -> RenderableType:
    """The whole picture."""
    parts: list[RenderableType] = [
        _header(board, url, now_ms),
        _table(board, quotes, width, now_ms),
    ]
    if board.problem:
        parts.append(Text(f"! {board.problem}", "yellow"))
    parts += [
        Text(f"✗ {item.symbol}: {item.message} ({item.reason})", "red")
        for item in board.rejected.values()
    ]
    return Group(*parts)


def _header(board: Board, url: str, now_ms: float) -> Text:
    style = "bold green" if board.is_connected else "bold red"
    header = Text.assemble(("● ", style), (board.connection, style), (f" {url}", "dim"))
    if board.heartbeat:
        header.append(_SEPARATOR, "dim").append_text(_market(board.heartbeat))
        header.append(_SEPARATOR, "dim").append_text(_feed(board, now_ms))
    if board.heartbeat and board.heartbeat.digest is not None:
        header.append(_SEPARATOR, "dim").append("verified", "green")
    rate = f"{board.rate(now_ms):.1f} updates/s"
    return header.append(_SEPARATOR, "dim").append(rate)


def _market(heartbeat: Heartbeat) -> Text:
    session = heartbeat.session
    state = "market open" if session.is_open else "market closed"
    text = Text(state, "green" if session.is_open else "cyan")
    if session.reason:
        text.append(f" ({session.reason})", "dim")
    until = moment_text(session.next_change_at_ms)
    return text.append(f" until {until}", "dim") if until else text


def _feed(board: Board, now_ms: float) -> Text:
    if not board.heartbeat or not board.is_connected:
        return Text("feed unknown", "yellow")
    feed = board.heartbeat.feed
    text = Text(f"feed {feed.state}", _FEED_STYLES.get(feed.state, "yellow"))
    source = f" {feed.source}" if feed.source else ""
    age_ms = board.feed_age_ms(now_ms)
    age = "" if age_ms is None else f", {age_text(age_ms)} old"
    return text.append(source + age, "dim")


def columns_for(width: int, *, has_day: bool) -> tuple[Column, ...]:
    """The columns that fit, the least important left out first."""
    chosen = [column for column in _COLUMNS if has_day or column.in_ltp]
    room = width - _SYMBOL_WIDTH - _GUTTER
    while chosen and sum(column.width + _GUTTER for column in chosen) > room:
        worst = max(column.rank for column in chosen)
        if worst == 0:
            break
        chosen = [column for column in chosen if column.rank != worst]
    return tuple(chosen)


def _table(
    board: Board, quotes: Mapping[str | int, Quote], width: int, now_ms: float
) -> Table:
    has_day = any(item.mode is not Mode.LTP for item in board.rows)
    columns = columns_for(width, has_day=has_day)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold dim")
    table.add_column("symbol", min_width=_SYMBOL_WIDTH - _GUTTER, no_wrap=True)
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    for item in board.rows:
        quote = quotes.get(item.code)
        cells = [c.cell(quote) if quote else Text(UNKNOWN, "dim") for c in columns]
        flash = _FLASH_STYLES[board.direction(item.code, now_ms)]
        table.add_row(Text(item.symbol, "bold"), *cells, style=flash)
    return table
