"""Invents a plausible trading day for a scrip, after a previous close.

Every price is a whole number of ticks and lies between the day's low and high.
"""

import random

from bse_exchange_sim.universe.scrip import DayBar, Scrip, on_tick


_BASIS = 10_000
_LIQUID_TRADES = 1_000
_LIQUID_SIGMA_BP = 110
_THIN_SIGMA_BP = 220
_LIMIT_BP = 900
_CLOSE_EQUALS_LAST = 0.5


def _moved(price_paise: int, move_bp: int, tick_paise: int) -> int:
    return on_tick(price_paise * (_BASIS + move_bp) // _BASIS, tick_paise)


def _draw_bp(rng: random.Random, sigma_bp: int) -> int:
    return max(-_LIMIT_BP, min(_LIMIT_BP, int(rng.gauss(0, sigma_bp))))


def _scaled(count: int, rng: random.Random) -> int:
    percent = max(20, min(400, int(100 * rng.lognormvariate(0, 0.35))))
    return max(1, count * percent // 100)


def draw_bar(
    scrip: Scrip,
    previous_close_paise: int,
    usual_volume: int,
    usual_trades: int,
    rng: random.Random,
) -> DayBar:
    """Draw one day around the usual activity of the scrip."""
    trades = _scaled(usual_trades, rng)
    volume = max(trades, _scaled(usual_volume, rng))
    sigma = _LIQUID_SIGMA_BP if trades >= _LIQUID_TRADES else _THIN_SIGMA_BP
    tick = scrip.tick_paise
    opened = _moved(previous_close_paise, _draw_bp(rng, sigma // 3), tick)
    last = opened if trades == 1 else _moved(opened, _draw_bp(rng, sigma), tick)
    high, low = max(opened, last), min(opened, last)
    if trades > 2:  # noqa: PLR2004 - with two trades open and last are the extremes
        high = _moved(high, abs(_draw_bp(rng, sigma // 2)), tick)
        low = _moved(low, -abs(_draw_bp(rng, sigma // 2)), tick)
    average = (opened + high + low + 2 * last) // 5
    close = last if rng.random() < _CLOSE_EQUALS_LAST else on_tick(average, tick)
    return DayBar(
        open_paise=opened,
        high_paise=high,
        low_paise=low,
        close_paise=max(low, close),
        last_paise=last,
        previous_close_paise=previous_close_paise,
        volume=volume,
        turnover_paise=max(low, average) * volume,
        trades=trades,
    )


def next_bar(scrip: Scrip, bar: DayBar, rng: random.Random) -> DayBar:
    """Draw the day after `bar`: it starts from that day's last price."""
    base = bar.last_paise or bar.close_paise or scrip.tick_paise
    return draw_bar(scrip, base, max(1, bar.volume), max(1, bar.trades), rng)
