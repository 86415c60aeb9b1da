"""The order book around the last price: five invented levels a side."""

import msgspec

from bse_exchange_sim.paths.noise import noise
from bse_exchange_sim.paths.trade_state import TradeState


LEVELS = 5
_LOT_RANGE = 900
_ASK_STREAM = 64


class Level(msgspec.Struct, frozen=True, gc=False):
    """One price and the shares waiting there."""

    price_paise: int
    quantity: int


class Depth(msgspec.Struct, frozen=True, gc=False):
    """Bids from the best down, asks from the best up."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def depth_around(state: TradeState, code: int, tick_paise: int) -> Depth:
    """Return the book of a scrip; bids stop above zero."""
    last = state.last_paise
    gap = 1 + noise(code, state.updates) % 2

    def level(price: int, stream: int) -> Level:
        return Level(price, 1 + noise(code + stream, state.updates) % _LOT_RANGE)

    steps = range(LEVELS)
    bids = [level(last - (gap + step) * tick_paise, step) for step in steps]
    asks = [level(last + (1 + step) * tick_paise, _ASK_STREAM + step) for step in steps]
    return Depth(tuple(each for each in bids if each.price_paise > 0), tuple(asks))
