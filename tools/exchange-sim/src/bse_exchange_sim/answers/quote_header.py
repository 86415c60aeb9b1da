"""`getScripHeaderData`: one scrip's price, without volume, stamped to the minute."""

import msgspec

from bse_exchange_sim.answers.numbers import percent, two_decimals
from bse_exchange_sim.answers.stamps import header_time, pipe_minutes
from bse_exchange_sim.exchange import Market
from bse_exchange_sim.universe.scrip import Scrip


_SURVEILLANCE = "https://www.bseindia.com/attention_investors.aspx"
_NOTICE = (
    "https://www.bseindia.com/markets/MarketInfo/"
    "DispNewNoticesCirculars.aspx?page=20230210-55"
)
_NULL_ALWAYS = (
    "PRE_OPEN_NO_BIDS",
    "PRE_OPEN_NO_I_PRICE",
    "PRE_OPEN_I_PRICE",
    "PRE_OPEN_I_PRICE_QTY",
    "PCAS_NO_BIDS",
    "PCAS_INDICATIVE_PRICE",
    "PCAS_INDICATIVE_QTY",
    "PERODIC_CALL_AUCTION",
)
_NAMES = (
    "FullN",
    "ShortN",
    "SeriesN",
    "SEOUrlEQ",
    "SEOUrlDR",
    "IsNotPropernFIT",
    "Category",
    "EquityScrips",
)
_HEADER_PRICES = ("Noticecnt", "PrevClose", "Open", "High", "Low", "LTP")
_HEADER_TEXTS = ("DisplayText", "Category")

Fields = dict[str, str | None]


def _rate(last: str, change: str, change_percent: str) -> Fields:
    return {
        "LTP": last,
        "Chg": change,
        "PcChg": change_percent,
        "D_Cpricelink": "",
        "IssueChgVal": "",
        "IssueChgPC": "",
    }


def _after_the_prices(as_on: str, *, known: bool) -> Fields:
    """Return the fields behind the prices; an unknown scrip has nulls there."""
    empty = "" if known else None
    return {
        **dict.fromkeys(_NULL_ALWAYS),
        "GSMURL": empty,
        "GSMText": empty,
        "Invit": "0" if known else None,
        "Ason": as_on,
        "NAVRate": "",
        "NAVdttm": "",
        "ASMText": empty,
        "SMSText": empty,
        "IRPText": empty,
        "ASMURL": empty,
        "SMSURL": _SURVEILLANCE if known else None,
        "IRPURL": _NOTICE if known else None,
        "IDB_DisplayText": empty,
        "IsALF": "0" if known else None,
        "EMSText": empty,
        "EMSURL": empty,
    }


def _body(rate: Fields, names: Fields, header: Fields) -> bytes:
    return msgspec.json.encode(
        {
            "CurrRate": rate,
            "Cmpname": names,
            "Header": header,
            "CompResp": {"compRes": None, "texturl": None},
        }
    )


def _unknown() -> bytes:
    """An unknown code answers 200 with dashes and nulls."""
    header: Fields = {
        **dict.fromkeys(_HEADER_PRICES + _HEADER_TEXTS),
        **_after_the_prices("-", known=False),
    }
    return _body(_rate("-", "-", "-"), dict.fromkeys(_NAMES), header)


def _known_names(scrip: Scrip) -> Fields:
    return {
        "FullN": scrip.name,
        "ShortN": scrip.symbol.lower(),
        "SeriesN": scrip.name,
        "SEOUrlEQ": scrip.page,
        "SEOUrlDR": f"/stock-share-price/future-options/derivatives/{scrip.code}/",
        "IsNotPropernFIT": "0",
        "Category": "Listed",
        "EquityScrips": str(scrip.code),
    }


def quote_header(market: Market, code: int) -> bytes:
    """Return the quote header of a scrip code."""
    index = market.codes.get(code)
    if index is None:
        return _unknown()
    scrip, state = market.scrip(index), market.state(index)
    change = state.change_paise
    last = two_decimals(state.last_paise)
    header: Fields = {
        "Noticecnt": "2",
        "PrevClose": two_decimals(state.previous_close_paise),
        "Open": two_decimals(state.open_paise),
        "High": two_decimals(state.high_paise),
        "Low": two_decimals(state.low_paise),
        "LTP": last,
        "DisplayText": "",
        "Category": "Listed",
        **_after_the_prices(pipe_minutes(header_time(market, state)), known=True),
    }
    rate = _rate(
        last,
        two_decimals(change),
        two_decimals(percent(change, state.previous_close_paise)),
    )
    return _body(rate, _known_names(scrip), header)
