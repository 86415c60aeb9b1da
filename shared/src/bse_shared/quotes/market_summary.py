"""The market in a few numbers: how many rose and fell, and which moved most. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from typing import NamedTuple

from bse_shared.quotes.quote import Condition, Quote


class Mover(NamedTuple):
    """A scrip that moved: change in hundredths of a percent against the last close, turnover in paise."""

    code: int
    last_paise: int
    change_basis_points: int
    volume: int
    turnover_paise: int


@dataclass(frozen=True, slots=True)
class MarketSummary:
    """Breadth and movers of the scrips that traded today."""

    advances: int
    declines: int
    unchanged: int
    untraded: int
    turnover_paise: int
    gainers: tuple[Mover, ...]
    losers: tuple[Mover, ...]
    most_active: tuple[Mover, ...]


def summarise(
    quotes: Mapping[int, Quote],
    since_ms: int,
    movers_max: int,
    min_turnover_paise: int = 0,
) -> MarketSummary:
    """Sum up `quotes` by scrip code; a scrip has traded today if its last trade is not before `since_ms`.

    A suspect price moves nobody to the top; nor does one with less turnover than `min_turnover_paise`.
    """
    traded = [
        mover
        for code, quote in quotes.items()
        if (mover := _mover(code, quote, since_ms)) is not None
    ]
    ranked = [
        mover
        for mover in traded
        if mover.turnover_paise >= min_turnover_paise
        and quotes[mover.code].condition != Condition.SUSPECT
    ]
    advances = sum(mover.change_basis_points > 0 for mover in traded)
    declines = sum(mover.change_basis_points < 0 for mover in traded)
    return MarketSummary(
        advances=advances,
        declines=declines,
        unchanged=len(traded) - advances - declines,
        untraded=len(quotes) - len(traded),
        turnover_paise=sum(mover.turnover_paise for mover in traded),
        gainers=_top(nlargest, movers_max, (m for m in ranked if _change(m) > 0)),
        losers=_top(nsmallest, movers_max, (m for m in ranked if _change(m) < 0)),
        most_active=tuple(
            nlargest(movers_max, ranked, key=lambda m: (m.turnover_paise, -m.code))
        ),
    )


def _mover(code: int, quote: Quote, since_ms: int) -> Mover | None:
    last, close = quote.last_paise, quote.previous_close_paise
    at_ms = quote.exchange_time_ms
    if not last or not close or at_ms is None or at_ms < since_ms or not quote.volume:
        return None
    change = last - close
    # To the nearest hundredth of a percent, away from zero: a rise must not look like none.
    points = (abs(change) * 20_000 + close) // (2 * close)
    points = max(points, 1) if change else 0
    return Mover(
        code,
        last,
        points if change > 0 else -points,
        quote.volume,
        quote.turnover_paise or 0,
    )


def _change(mover: Mover) -> int:
    return mover.change_basis_points


def _top(
    pick: Callable[..., list[Mover]], count: int, movers: Iterable[Mover]
) -> tuple[Mover, ...]:
    return tuple(pick(count, movers, key=lambda m: (m.change_basis_points, -m.code)))
