"""Yahoo's `v7/finance/quote` and `v8/finance/chart` for the same market: numbers, and times in epoch seconds.

An unknown symbol is left out of a quote answer, as Yahoo does.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from bse_exchange_sim.answers.stamps import last_trade_time
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.market_clock import DAY_LENGTH


CRUMB = "Sim.Crumb01"
SUFFIX = ".BO"
_RUPEE = 100
_UTC_OFFSET_MS = 19_800_000
_MINUTE = timedelta(minutes=1)
_MINUTES = DAY_LENGTH // _MINUTE
_LOOKS_A_MINUTE = 4
_BAR = ("open", "high", "low", "close", "volume")


def quotes(market: Market, query: Mapping[str, str]) -> bytes:
    """Answer a batch of symbols."""
    places = _places(market)
    wanted = query.get("symbols", "").split(",")
    rows = [_row(market, places[name]) for name in wanted if name in places]
    return msgspec.json.encode({"quoteResponse": {"result": rows, "error": None}})


def chart(market: Market, symbol: str) -> bytes:
    """Answer the finished minutes of one symbol so far; on a day without any, no times at all, as Yahoo does."""
    index = _places(market).get(symbol)
    if index is None:
        error = {"code": "Not Found", "description": "No data found"}
        return msgspec.json.encode({"chart": {"result": None, "error": error}})
    row = _row(market, index)
    meta = {
        "currency": "INR",
        "symbol": symbol,
        "exchangeName": "BSE",
        "regularMarketPrice": row["regularMarketPrice"],
        "regularMarketTime": row["regularMarketTime"],
        "regularMarketVolume": row["regularMarketVolume"],
        "chartPreviousClose": row["regularMarketPreviousClose"],
        "gmtoffset": _UTC_OFFSET_MS // 1000,
        "dataGranularity": "1m",
    }
    times, bars = _bars(market, index)
    result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [{}]}}
    if times:
        result |= {"timestamp": times, "indicators": {"quote": [bars]}}
    return msgspec.json.encode({"chart": {"result": [result], "error": None}})


def _bars(market: Market, index: int) -> tuple[list[int], dict[str, list[Any]]]:
    """The finished minutes by their start; a minute without a trade is null in every row."""
    path, moment = market.path(index), market.moment
    times: list[int] = []
    bars: dict[str, list[Any]] = {name: [] for name in _BAR}
    before = path.at(0)
    for minute in range(int(moment.progress * _MINUTES)):
        prices = [
            path.at((minute + part / _LOOKS_A_MINUTE) / _MINUTES).last_paise / _RUPEE
            for part in range(1, _LOOKS_A_MINUTE + 1)
        ]
        state = path.at((minute + 1) / _MINUTES)
        times.append(int((moment.opened_at + minute * _MINUTE).timestamp()))
        traded = state.volume - before.volume
        bar = (prices[0], max(prices), min(prices), prices[-1], traded)
        for name, value in zip(_BAR, bar, strict=True):
            bars[name].append(value if traded and state.updates else None)
        before = state
    return times, bars


def _places(market: Market) -> dict[str, int]:
    return {
        f"{each.scrip.symbol}{SUFFIX}": at for at, each in enumerate(market.listings)
    }


def _row(market: Market, index: int) -> dict[str, Any]:
    scrip, state = market.scrip(index), market.state(index)
    row: dict[str, Any] = {
        "symbol": f"{scrip.symbol}{SUFFIX}",
        "quoteType": "EQUITY",
        "currency": "INR",
        "exchange": "BSE",
        "regularMarketPrice": state.last_paise / _RUPEE,
        "regularMarketPreviousClose": state.previous_close_paise / _RUPEE,
        "regularMarketVolume": state.volume,
        "regularMarketTime": int(last_trade_time(market, state).timestamp()),
        "marketState": "REGULAR" if market.moment.is_open else "CLOSED",
        "gmtOffSetMilliseconds": _UTC_OFFSET_MS,
        "sourceInterval": 15,
        "exchangeDataDelayedBy": 0,
    }
    if state.updates:
        row |= {
            "regularMarketOpen": state.open_paise / _RUPEE,
            "regularMarketDayHigh": state.high_paise / _RUPEE,
            "regularMarketDayLow": state.low_paise / _RUPEE,
        }
    return row
