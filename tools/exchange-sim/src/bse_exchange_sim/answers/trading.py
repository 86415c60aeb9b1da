"""`StockTrading` and `HighLow`: volume, turnover, band, market cap, 52 weeks.

Units stand in the neighbour field and vary. `CktLimit` is defective at the exchange:
its upper half is the traded quantity, and so it is here. The 52-week range, the two
week average and the number of shares are invented, fixed per scrip.
"""

from datetime import timedelta

import msgspec

from bse_exchange_sim.answers.numbers import (
    HUNDRED,
    PAISE_PER_CRORE,
    PAISE_PER_LAKH,
    SHARES_PER_LAKH,
    indian,
    rounded,
    two_decimals,
)
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.paths.trade_state import TradeState
from bse_exchange_sim.universe.scrip import Scrip, on_tick


_TRADING_VALUES = (
    "WAP",
    "Turnover",
    "TTQ",
    "TwoWkAvgQty",
    "CktLimit",
    "MktCapFull",
    "MktCapFF",
    "ExDate",
)
_RANGE_VALUES = (
    "Fifty2WkHigh_adj",
    "Fifty2WkHigh_adjDt",
    "Fifty2WkLow_adj",
    "Fifty2WkLow_adjDt",
    "Fifty2WkHigh_unadj",
    "Fifty2WkLow_unadj",
    "MonthHighLow",
    "WeekHighLow",
)
_LOWER_BAND_PERCENT = 90
_FREE_FLOAT_PERCENT = 55
_PERCENT = 100


def _quantity(shares: int) -> tuple[str, str]:
    """Return (unit, text): lakhs from one lakh, plain shares below."""
    if shares < SHARES_PER_LAKH:
        return "", str(shares)
    return "(Lakh)", two_decimals(rounded(shares * HUNDRED, SHARES_PER_LAKH))


def _amount(turnover_paise: int) -> tuple[str, str]:
    """Return (unit, text): crores from one crore, lakhs below."""
    unit, size = ("(Cr.)", PAISE_PER_CRORE)
    if turnover_paise < PAISE_PER_CRORE:
        unit, size = ("(Lakh)", PAISE_PER_LAKH)
    return unit, indian(rounded(turnover_paise * HUNDRED, size))


def _lower_band(scrip: Scrip, previous_close_paise: int) -> int:
    """Round the lower band up to the tick."""
    below = previous_close_paise * _LOWER_BAND_PERCENT
    return -(-below // (_PERCENT * scrip.tick_paise)) * scrip.tick_paise


def stock_trading(market: Market, code: int) -> bytes:
    """Return volume and turnover of a scrip code, in their wandering units."""
    index = market.codes.get(code)
    if index is None:
        units = dict.fromkeys(("Turnoverin", "TTQin", "TwoWkAvgQtyin"), "")
        dashes = dict.fromkeys(_TRADING_VALUES, "-")
        return msgspec.json.encode({**dashes, **units, "blockdttm": ""})
    scrip, state = market.scrip(index), market.state(index)
    turnover_unit, turnover = _amount(state.turnover_paise)
    quantity_unit, quantity = _quantity(state.volume)
    average = market.listings[index].bar.volume
    capital = rounded(state.last_paise * scrip.shares * HUNDRED, PAISE_PER_CRORE)
    wap = rounded(state.turnover_paise, state.volume) if state.volume else 0
    band = two_decimals(_lower_band(scrip, state.previous_close_paise))
    return msgspec.json.encode(
        {
            "WAP": indian(wap),
            "Turnoverin": turnover_unit,
            "Turnover": turnover,
            "TTQin": quantity_unit,
            "TTQ": quantity,
            "TwoWkAvgQtyin": "(Lakh)",
            "TwoWkAvgQty": two_decimals(rounded(average * HUNDRED, SHARES_PER_LAKH)),
            "CktLimit": f"{indian(state.volume * HUNDRED)}/{band}",
            "MktCapFull": indian(capital),
            "MktCapFF": indian(capital * _FREE_FLOAT_PERCENT // _PERCENT),
            "ExDate": "",
            "blockdttm": "",
        }
    )


def _year_range(scrip: Scrip, state: TradeState) -> tuple[int, int]:
    """Invent a 52-week range that holds today's."""
    base = state.previous_close_paise or state.last_paise
    high = base * (105 + scrip.code % 60) // _PERCENT
    low = base * (95 - scrip.code % 45) // _PERCENT
    high, low = on_tick(high, scrip.tick_paise), on_tick(low, scrip.tick_paise)
    return max(high, state.high_paise), min(low, state.low_paise or low)


def high_low(market: Market, code: int) -> bytes:
    """Return the 52-week, month and week range of a scrip code."""
    none = {"UnderlyingVal": None, "CktFilter": None}
    index = market.codes.get(code)
    if index is None:
        return msgspec.json.encode({**dict.fromkeys(_RANGE_VALUES, "-"), **none})
    scrip, state = market.scrip(index), market.state(index)
    high, low = _year_range(scrip, state)
    today = market.moment.trade_date
    top_day = (today - timedelta(days=30 + code % 300)).strftime("%d/%m/%Y")
    low_day = (today - timedelta(days=1 + code % 330)).strftime("%d/%m/%Y")
    top, bottom = two_decimals(high), two_decimals(low)
    return msgspec.json.encode(
        {
            "Fifty2WkHigh_adj": top,
            "Fifty2WkHigh_adjDt": f" ({top_day})",
            "Fifty2WkLow_adj": bottom,
            "Fifty2WkLow_adjDt": f" ({low_day})",
            "Fifty2WkHigh_unadj": f"{top} ({top_day})",
            "Fifty2WkLow_unadj": f"{bottom} ({low_day})",
            "MonthHighLow": f"{top} / {bottom}",
            "WeekHighLow": f"{two_decimals(state.high_paise or high)} / "
            f"{two_decimals(state.low_paise or low)}",
            **none,
        }
    )
