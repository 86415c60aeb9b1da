"""The broker's `GET /quote` for the same market: numbers, IST times, five levels of depth."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bse_exchange_sim.answers.numbers import rounded
from bse_exchange_sim.answers.stamps import last_trade_time
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.market_clock import IST
from bse_exchange_sim.paths.depth import LEVELS, Level, depth_around


PREFIX = "BSE:"
_RUPEE = 100
_EMPTY = {"price": 0, "quantity": 0, "orders": 0}


def quotes(market: Market, query: Mapping[str, str]) -> bytes:
    """Answer a batch of instruments; an unknown one is left out."""
    places = {
        f"{PREFIX}{each.scrip.symbol}": at for at, each in enumerate(market.listings)
    }
    wanted = query.get("i", "").split(",")
    data = {key: _row(market, places[key]) for key in wanted if key in places}
    return msgspec.json.encode({"status": "success", "data": data})


def _row(market: Market, index: int) -> dict[str, Any]:
    scrip, state = market.scrip(index), market.state(index)
    book = depth_around(state, scrip.code, scrip.tick_paise)
    traded_at = last_trade_time(market, state).astimezone(IST)
    stamp = traded_at.strftime("%Y-%m-%d %H:%M:%S")
    average = rounded(state.turnover_paise, state.volume) if state.volume else 0
    return {
        "instrument_token": scrip.code,
        "timestamp": stamp,
        "last_trade_time": stamp,
        "last_price": state.last_paise / _RUPEE,
        "volume": state.volume,
        "average_price": average / _RUPEE,
        "ohlc": {
            "open": state.open_paise / _RUPEE,
            "high": state.high_paise / _RUPEE,
            "low": state.low_paise / _RUPEE,
            "close": state.previous_close_paise / _RUPEE,
        },
        "depth": {"buy": _side(book.bids), "sell": _side(book.asks)},
    }


def _side(levels: tuple[Level, ...]) -> list[dict[str, Any]]:
    written = [
        {"price": each.price_paise / _RUPEE, "quantity": each.quantity, "orders": 1}
        for each in levels
    ]
    return written + [_EMPTY] * (LEVELS - len(written))
