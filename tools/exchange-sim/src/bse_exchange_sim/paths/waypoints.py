"""Plans where a day's price turns: from open over high and low to last.

Between two waypoints the price moves in one direction only, so the day's high and low
so far are known in closed form at every moment.
"""

import random
from itertools import accumulate, pairwise

from bse_exchange_sim.universe.scrip import DayBar, on_tick


MAX_TURNS = 22
_CALM, _LIVELY = 20, 100
_BUSY_ENDS = 10


def plan_marks(updates: int, rng: random.Random) -> list[int]:
    """Return the update numbers of the waypoints: 1, some between, the last one."""
    if updates == 1:
        return [1]
    inner = range(2, updates)
    return [1, *sorted(rng.sample(inner, min(MAX_TURNS, len(inner)))), updates]


def plan_prices(
    bar: DayBar, count: int, tick_paise: int, rng: random.Random
) -> list[int]:
    """Return one price per waypoint, all within the bar's low and high."""
    low, high = bar.low_paise, bar.high_paise
    first, last = _within(bar.open_paise, low, high), _within(bar.last_paise, low, high)
    if count == 1:
        return [last]
    spread = (high - low) // 2
    prices = [first]
    for index in range(1, count - 1):
        straight = first + (last - first) * index // (count - 1)
        drawn = straight + rng.randint(-spread, spread)
        prices.append(_within(on_tick(drawn, tick_paise), low, high))
    prices.append(last)
    _touch_extremes(prices, low, high, rng)
    return prices


def plan_volumes(shares: int, marks: list[int], rng: random.Random) -> list[int]:
    """Return the shares so far at each waypoint: busy at both ends of the day."""
    weights = [0]
    for sooner, later in pairwise(marks):
        from_middle = abs(sooner + later - marks[-1]) * _BUSY_ENDS // marks[-1]
        mood = rng.randint(_CALM, _LIVELY)
        weights.append((later - sooner) * mood * (_BUSY_ENDS + from_middle))
    total = sum(weights)
    if not total:
        return [shares]
    return [shares * so_far // total for so_far in accumulate(weights)]


def _within(price: int, low: int, high: int) -> int:
    return max(low, min(high, price))


def _touch_extremes(prices: list[int], low: int, high: int, rng: random.Random) -> None:
    """Put high and low on inner waypoints, unless open or last is there already."""
    ends = (prices[0], prices[-1])
    missing = [extreme for extreme in (high, low) if extreme not in ends]
    inner = range(1, len(prices) - 1)
    for index, extreme in zip(rng.sample(inner, min(2, len(inner))), missing):  # noqa: B905 - a short day may not reach both
        prices[index] = extreme
