"""A scrip in the protocol's words: its name, its session, its quote. Pure."""

import datetime as dt
from typing import Any

from bse_gateway.derived import change_of
from bse_gateway.identifiers import Miss
from bse_gateway.lookup import QuoteView
from bse_gateway.rest.decimal_json import rupees
from bse_gateway.trading_days import holidays, trading_day
from bse_shared.quotes.instrument import Instrument
from bse_shared.sessions.calendar import MarketCalendar
from bse_shared.sessions.session import IST_OFFSET_MS, MINUTE_MS, Phase, day_number


EXCHANGE = "BSE"
INTRADAY = ["1", "5", "15", "60"]
RESOLUTIONS = [*INTRADAY, "1D"]
PRICE_SCALE = 100
"""Prices are shown in hundredths of a rupee."""

DAYS_LOOKED_MAX = 14
"""Within so many days from any there is a normal one."""


def described(
    scrip: Instrument, calendar: MarketCalendar, now_ms: int
) -> dict[str, Any]:
    """How a chart is to show the scrip."""
    today = dt.date.fromordinal(day_number(now_ms))
    closed = [
        day.date.strftime("%Y%m%d")
        for day in holidays(calendar, today.year)
        if not day.is_trading_day
    ]
    return {
        "name": scrip.symbol,
        "ticker": scrip.symbol,
        "description": scrip.name or scrip.symbol,
        "type": "stock",
        "exchange": EXCHANGE,
        "listed_exchange": EXCHANGE,
        "timezone": "Asia/Kolkata",
        "session": _session(calendar, today),
        "session_holidays": ",".join(closed),
        "format": "price",
        "minmov": 1,
        "pricescale": PRICE_SCALE,
        "currency_code": "INR",
        "volume_precision": 0,
        "has_intraday": True,
        "has_daily": True,
        "intraday_multipliers": INTRADAY,
        "supported_resolutions": RESOLUTIONS,
    }


def _session(calendar: MarketCalendar, today: dt.date) -> str:
    """The continuous session of the next normal day, as `0915-1530`."""
    for ahead in range(DAYS_LOOKED_MAX):
        day = trading_day(calendar, today + dt.timedelta(days=ahead))
        for phase, starts_ms, ends_ms in day.sessions:
            if phase is Phase.OPEN and not day.special:
                return f"{_clock(starts_ms)}-{_clock(ends_ms)}"
    return "24x7"


def _clock(at_ms: int) -> str:
    minutes = (at_ms + IST_OFFSET_MS) // MINUTE_MS % (24 * 60)
    return f"{minutes // 60:02d}{minutes % 60:02d}"


def quote_of(identifier: str, found: QuoteView | Miss) -> dict[str, Any]:
    """The quote in the protocol's names, or that there is none."""
    if isinstance(found, Miss):
        return {"s": "error", "n": found.symbol, "v": {}}
    quote, change = found.image.quote, change_of(found.image.quote)
    values = {
        "short_name": found.instrument.symbol,
        "exchange": EXCHANGE,
        "description": found.instrument.name or found.instrument.symbol,
        "lp": rupees(quote.last_paise),
        "ch": rupees(change.paise),
        "chp": rupees(change.basis_points),
        "ask": rupees(quote.ask_paise),
        "bid": rupees(quote.bid_paise),
        "open_price": rupees(quote.open_paise),
        "high_price": rupees(quote.high_paise),
        "low_price": rupees(quote.low_paise),
        "prev_close_price": rupees(quote.previous_close_paise),
        "volume": quote.volume,
        "original_name": f"{EXCHANGE}:{found.instrument.symbol}",
        "quality": found.trust.quality,
    }
    known = {name: value for name, value in values.items() if value is not None}
    return {"s": "ok", "n": identifier, "v": known}


def without_exchange(symbol: str) -> str:
    """Charts put the exchange before a symbol."""
    exchange, colon, rest = symbol.partition(":")
    return rest if colon and exchange.upper() == EXCHANGE else symbol
