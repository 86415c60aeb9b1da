"""What the whole market shows at once: rankings and breadth, out of the images alone. Pure, integers only.

Only scrips that traded today count, and no price that the platform itself doubts stands in a ranking.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from bse_gateway.derived import change_of
from bse_shared.quotes.frame import Image
from bse_shared.quotes.quote import Condition, Quote


class Board(StrEnum):
    """A ranking."""

    GAINERS = "gainers"
    LOSERS = "losers"
    VOLUME = "volume"
    TURNOVER = "turnover"
    TRADES = "trades"
    HIGH_52_WEEK = "high"
    LOW_52_WEEK = "low"
    UPPER_CIRCUIT = "upper"
    LOWER_CIRCUIT = "lower"


class Breadth(NamedTuple):
    """How the scrips of a selection do, in numbers. `untraded` did not trade today, or nothing is known of them."""

    advances: int
    declines: int
    unchanged: int
    untraded: int
    at_52_week_high: int
    at_52_week_low: int
    at_upper_circuit: int
    at_lower_circuit: int


Images = Mapping[int, Image]


def ranked(images: Images, codes: Iterable[int], board: Board) -> list[int]:
    """The scrips of a board, best first; equal ones by code, so that the order is the same at each replica."""
    measure = _MEASURES[board]
    found = []
    for code in codes:
        quote = _traded(images, code)
        if quote is None or quote.condition == Condition.SUSPECT:
            continue
        value = measure(quote)
        if value is not None:
            found.append((-value, code))
    found.sort()
    return [code for _, code in found]


def breadth(images: Images, codes: Iterable[int]) -> Breadth:
    """Count them."""
    counts = dict.fromkeys(Breadth._fields, 0)
    for code in codes:
        quote = _traded(images, code)
        change = None if quote is None else change_of(quote).paise
        if quote is None or change is None:
            counts["untraded"] += 1
            continue
        counts[_direction(change)] += 1
        for name, board in _TOUCHED.items():
            counts[name] += _MEASURES[board](quote) is not None
    return Breadth(**counts)


def _direction(change_paise: int) -> str:
    if change_paise == 0:
        return "unchanged"
    return "advances" if change_paise > 0 else "declines"


def _traded(images: Images, code: int) -> Quote | None:
    image = images.get(code)
    return image.quote if image is not None and image.quote.volume else None


def _gain(quote: Quote) -> int | None:
    basis_points = change_of(quote).basis_points
    return basis_points if basis_points is not None and basis_points > 0 else None


def _loss(quote: Quote) -> int | None:
    basis_points = change_of(quote).basis_points
    return -basis_points if basis_points is not None and basis_points < 0 else None


def _reached(
    price: Callable[[Quote], int | None],
    bound: Callable[[Quote], int | None],
    sign: int,
) -> Callable[[Quote], int | None]:
    """Ranks by turnover what is at the bound or beyond it; `sign` -1: at it or below."""

    def measure(quote: Quote) -> int | None:
        at, limit = price(quote), bound(quote)
        if at is None or not limit or sign * (at - limit) < 0:
            return None
        return quote.turnover_paise or 0

    return measure


_MEASURES: dict[Board, Callable[[Quote], int | None]] = {
    Board.GAINERS: _gain,
    Board.LOSERS: _loss,
    Board.VOLUME: lambda quote: quote.volume,
    Board.TURNOVER: lambda quote: quote.turnover_paise,
    Board.TRADES: lambda quote: quote.trades,
    Board.HIGH_52_WEEK: _reached(
        lambda q: q.high_paise, lambda q: q.high_52_week_paise, 1
    ),
    Board.LOW_52_WEEK: _reached(
        lambda q: q.low_paise, lambda q: q.low_52_week_paise, -1
    ),
    Board.UPPER_CIRCUIT: _reached(
        lambda q: q.last_paise, lambda q: q.upper_circuit_paise, 1
    ),
    Board.LOWER_CIRCUIT: _reached(
        lambda q: q.last_paise, lambda q: q.lower_circuit_paise, -1
    ),
}
_TOUCHED = {
    "at_52_week_high": Board.HIGH_52_WEEK,
    "at_52_week_low": Board.LOW_52_WEEK,
    "at_upper_circuit": Board.UPPER_CIRCUIT,
    "at_lower_circuit": Board.LOWER_CIRCUIT,
}
