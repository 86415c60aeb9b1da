"""Yahoo's `v7/finance/quote` and `v8/finance/chart` for the same market: numbers, and times in epoch seconds.

An unknown symbol is left out of a quote answer, as Yahoo does.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from bse_exchange_sim.answers.stamps import last_trade_time
from bse_exchange_sim.exchange import Market


CRUMB = "Sim.Crumb01"
SUFFIX = ".BO"
_RUPEE = 100
_UTC_OFFSET_MS = 19_800_000


def quotes(market: Market, query: Mapping[str, str]) -> bytes:
    """Answer a batch of symbols."""
    places = _places(market)
    wanted = query.get("symbols", "").split(",")
    rows = [_row(market, places[name]) for name in wanted if name in places]
    return msgspec.json.encode({"quoteResponse": {"result": rows, "error": None}})


def chart(market: Market, symbol: str) -> bytes:
    """Answer the last price of one symbol; the bars are left out, as on a day without any."""
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
    result = [{"meta": meta, "indicators": {"quote": [{}]}}]
    return msgspec.json.encode({"chart": {"result": result, "error": None}})


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
