"""`GetSensexData` and `GetSensexDatanew`: index values with commas and signs.

A value is the invented previous close moved by the mean move of the members. High and
low come from the members' highs and lows so far: they bound the value and never turn
back, but lie wider than a real index's.
"""

from collections.abc import Callable

import msgspec

from bse_exchange_sim.answers.numbers import indian, percent, signed
from bse_exchange_sim.answers.stamps import pipe_minutes
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.paths.trade_state import TradeState
from bse_exchange_sim.universe.indices import INDICES, SENSEX


_SCALE = 1_000_000
_DASH = "-"


def _level(
    previous: int, members: list[TradeState], price: Callable[[TradeState], int]
) -> int:
    """Move the previous close by the mean of the members' moves."""
    moves = [
        (price(each) or each.previous_close_paise) * _SCALE // each.previous_close_paise
        for each in members
        if each.previous_close_paise
    ]
    return previous * sum(moves) // (_SCALE * len(moves)) if moves else previous


def _index_row(market: Market, name: str) -> dict[str, str]:
    code, previous = INDICES[name]
    members = [
        market.state(index)
        for index, each in enumerate(market.listings)
        if name in each.scrip.indices
    ]
    last = _level(previous, members, lambda each: each.last_paise)
    change = last - previous
    return {
        "indxnm": name,
        "ltp": indian(last),
        "chg": signed(change),
        "perchg": signed(percent(change, previous)),
        "F": "0" if market.moment.is_open else "1",
        "dttm": pipe_minutes(market.moment.now),
        "istream": "1",
        "msg": "",
        "Prev_Close": indian(previous),
        "I_open": indian(_level(previous, members, lambda each: each.open_paise)),
        "High": indian(_level(previous, members, lambda each: each.high_paise)),
        "Low": indian(_level(previous, members, lambda each: each.low_paise)),
        "source": "DB",
        "iclsprice": _DASH,
        "iclsflag": "0",
        "iclsChg": _DASH,
        "iclsPchg": _DASH,
        "IndicativeNm": f"{name} (Indicative Close)",
        "indxcode": str(code),
    }


def sensex_row(market: Market) -> bytes:
    """Return the SENSEX alone, as a list of one."""
    return msgspec.json.encode([_index_row(market, SENSEX)])


def index_rows(market: Market) -> bytes:
    """Return all indices the simulator knows."""
    return msgspec.json.encode([_index_row(market, name) for name in INDICES])
