"""Spreads a day's turnover over its waypoints so that the average price stays likely.

Each stretch is priced at its middle, then all are shifted towards the high or the low
so far by the same share until the day's turnover comes out.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise


def spread_turnover(
    turnover_paise: int, volumes: Sequence[int], prices: Sequence[int]
) -> list[int]:
    """Return the turnover so far at each waypoint, rising, exact at the last."""
    stretches = [volumes[0], *(later - sooner for sooner, later in pairwise(volumes))]
    middles = [prices[0], *((a + b) // 2 for a, b in pairwise(prices))]
    natural = [size * middle for size, middle in zip(stretches, middles, strict=True)]
    missing = turnover_paise - sum(natural)
    bounds = accumulate(prices, max if missing > 0 else min)
    room = [
        size * abs(bound - middle)
        for size, bound, middle in zip(stretches, bounds, middles, strict=True)
    ]
    total_room = sum(room)
    if abs(missing) > total_room:
        return _by_volume(turnover_paise, volumes)
    parts = [
        part + (space * missing // total_room if total_room else 0)
        for part, space in zip(natural, room, strict=True)
    ]
    sums = [max(0, min(turnover_paise, value)) for value in accumulate(parts)]
    return [*sums[:-1], turnover_paise]


def _by_volume(turnover_paise: int, volumes: Sequence[int]) -> list[int]:
    """Spread evenly over the shares: for bars whose figures do not fit together."""
    total = volumes[-1]
    if not total:
        return [0] * (len(volumes) - 1) + [turnover_paise]
    return [turnover_paise * volume // total for volume in volumes]
