"""How the exchange writes times: all IST without a zone, in five shapes."""

from datetime import datetime, timedelta

from bse_exchange_sim.exchange import Market
from bse_exchange_sim.market_clock import DAY_LENGTH, IST, STAMP_AFTER_CLOSE
from bse_exchange_sim.paths.trade_state import TradeState


_DAY_SECONDS = DAY_LENGTH.total_seconds()


def last_trade_time(market: Market, state: TradeState) -> datetime:
    """Return when the scrip last traded; the previous day's end if not today."""
    moment = market.moment
    if not state.updates:
        return moment.previous_end
    seconds = int(state.traded_at * _DAY_SECONDS)
    return moment.opened_at + timedelta(seconds=seconds)


def iso_seconds(when: datetime) -> str:
    """Write 2023-10-23T13:02:34."""
    return when.astimezone(IST).strftime("%Y-%m-%dT%H:%M:%S")


def pipe_minutes(when: datetime) -> str:
    """Write 30 Sep 26 | 13:07."""
    return when.astimezone(IST).strftime("%d %b %y | %H:%M")


def javascript_like(when: datetime) -> str:
    """Write Wed Sep 30 2026 12:51:59."""
    return when.astimezone(IST).strftime("%a %b %d %Y %H:%M:%S")


def header_time(market: Market, state: TradeState) -> datetime:
    """Return a quote header's time: the last trade, 16:00 once the day is over."""
    moment = market.moment
    if moment.finished and state.updates:
        return datetime.combine(moment.trade_date, STAMP_AFTER_CLOSE, IST)
    return last_trade_time(market, state)
