"""The market in a few numbers: how many rose and fell, and which moved most. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    """Breadth and movers of the scrips that traded since `since_ms`, the beginning of the day."""

    since_ms: int
    advances: int
    declines: int
    unchanged: int
    untraded: int
    turnover_paise: int
    gainers: tuple[Mover, ...]
    losers: tuple[Mover, ...]
    most_active: tuple[Mover, ...]

    @property
    def scrips(self) -> int:
        """How many scrips it sums up."""
        return self.advances + self.declines + self.unchanged + self.untraded


def summarise(
    quotes: Mapping[int, Quote],
    since_ms: int,
    movers_max: int,
    min_turnover_paise: int = 0,
) -> MarketSummary:
    """Sum up `quotes` by scrip code; a scrip has traded today if its last trade is not before `since_ms`.

    One without a last close (its first day) counts in the turnover alone: nobody knows whether it rose.
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
        since_ms=since_ms,
        advances=advances,
        declines=declines,
        unchanged=len(traded) - advances - declines,
        untraded=len(quotes) - len(traded),
        turnover_paise=sum(
            _turnover(quote) for quote in quotes.values() if _traded(quote, since_ms)
        ),
        **_leaders(ranked, movers_max),
    )


def joined(parts: Sequence[MarketSummary], movers_max: int) -> MarketSummary:
    """The summary of all scrips, of summaries of disjoint sets of them. There is at least one part.

    A part of an earlier day has nothing to say of this one, but that its scrips did not trade.
    """
    since_ms = max(part.since_ms for part in parts)
    today = [part for part in parts if part.since_ms == since_ms]
    before = [part for part in parts if part.since_ms < since_ms]
    ranked = {m for part in today for m in part.gainers + part.losers}
    leaders = _leaders(ranked, movers_max)
    active = {m for part in today for m in part.most_active}
    return MarketSummary(
        since_ms=since_ms,
        advances=sum(part.advances for part in today),
        declines=sum(part.declines for part in today),
        unchanged=sum(part.unchanged for part in today),
        untraded=sum(part.untraded for part in today)
        + sum(part.scrips for part in before),
        turnover_paise=sum(part.turnover_paise for part in today),
        gainers=leaders["gainers"],
        losers=leaders["losers"],
        most_active=_leaders(active, movers_max)["most_active"],
    )


def _leaders(ranked: Iterable[Mover], movers_max: int) -> dict[str, tuple[Mover, ...]]:
    rising = [m for m in ranked if m.change_basis_points > 0]
    falling = [m for m in ranked if m.change_basis_points < 0]
    return {
        "gainers": _top(nlargest, movers_max, rising),
        "losers": _top(nsmallest, movers_max, falling),
        "most_active": tuple(
            nlargest(movers_max, ranked, key=lambda m: (m.turnover_paise, -m.code))
        ),
    }


def _mover(code: int, quote: Quote, since_ms: int) -> Mover | None:
    last, close, volume = quote.last_paise, quote.previous_close_paise, quote.volume
    if not last or not close or not volume or not _traded(quote, since_ms):
        return None
    change = last - close
    # To the nearest hundredth of a percent, away from zero: a rise must not look like none.
    points = (abs(change) * 20_000 + close) // (2 * close)
    points = max(points, 1) if change else 0
    return Mover(
        code,
        last,
        points if change > 0 else -points,
        volume,
        _turnover(quote),
    )


def _traded(quote: Quote, since_ms: int) -> bool:
    at_ms = quote.exchange_time_ms
    return at_ms is not None and at_ms >= since_ms


def _turnover(quote: Quote) -> int:
    """As the source tells it; where it does not (a broker, Yahoo), the volume at its average price, or at the last."""
    if quote.turnover_paise is not None:
        return quote.turnover_paise
    price = quote.average_price_paise or quote.last_paise or 0
    return (quote.volume or 0) * price


def _top(
    pick: Callable[..., list[Mover]], count: int, movers: Iterable[Mover]
) -> tuple[Mover, ...]:
    return tuple(pick(count, movers, key=lambda m: (m.change_basis_points, -m.code)))
