"""`StockReachGraph`: the day minute by minute, newest first, JSON inside JSON.

Each point is stamped `:59` and holds the last price and the volume of its minute.
`LowVal` and `HighVal` are axis limits, not the day's low and high.
"""

from datetime import timedelta

import msgspec

from bse_exchange_sim.answers.numbers import (
    json_number,
    two_decimals,
)
from bse_exchange_sim.answers.stamps import javascript_like
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.market_clock import DAY_LENGTH, IST
from bse_exchange_sim.paths.path import Path


_MINUTE = timedelta(minutes=1)
_MINUTES = DAY_LENGTH // _MINUTE
_LAST_SECOND = timedelta(seconds=59)
_AXIS_PERCENT = 2
_AXIS_VOLUME = 50_000


def stock_graph(market: Market, code: int) -> bytes:
    """Return the minutes of a scrip code so far."""
    index = market.codes.get(code)
    if index is None:
        return msgspec.json.encode(_outer(market, "", 0, (0, 0), []))
    points = _points(market, market.path(index))
    state = market.state(index)
    high = max(state.high_paise, state.previous_close_paise)
    low = min(state.low_paise or high, state.previous_close_paise or high)
    spare = high * _AXIS_PERCENT // 100
    outer = _outer(
        market,
        market.scrip(index).symbol,
        state.previous_close_paise,
        (low - spare, high + spare),
        points,
    )
    outer["CurrVal"] = two_decimals(state.last_paise)
    return msgspec.json.encode(outer)


def _points(market: Market, path: Path) -> list[dict[str, str]]:
    """Return one point per finished minute with a price, newest first."""
    moment = market.moment
    points = []
    volume = 0
    for minute in range(int(moment.progress * _MINUTES)):
        state = path.at((minute + 1) / _MINUTES)
        if not state.updates:
            continue
        points.append(
            {
                "dttm": javascript_like(
                    moment.opened_at + minute * _MINUTE + _LAST_SECOND
                ),
                "vale1": two_decimals(state.last_paise),
                "vole": str(state.volume - volume),
            }
        )
        volume = state.volume
    return points[::-1]


def _outer(
    market: Market,
    name: str,
    previous_paise: int,
    axis_paise: tuple[int, int],
    points: list[dict[str, str]],
) -> dict[str, str]:
    now = market.moment.now.astimezone(IST)
    return {
        "CurrDate": points[0]["dttm"] if points else javascript_like(now),
        "PrevClose": json_number(previous_paise),
        "LowVal": str(axis_paise[0] // 100),
        "HighVal": str(axis_paise[1] // 100),
        "Scripname": name,
        "CurrVal": "-",
        "CurrTime": now.strftime("%H:%M"),
        "LowVol": "0",
        "HighVol": str(_AXIS_VOLUME),
        "Data": msgspec.json.encode(points).decode(),
    }
