"""Invents the long tail of the market: clearly fictional scrips, seeded.

Codes lie in 591001-599999, above every real code of the 59xxxx range; group shares
follow a real day of mid 2024.
"""

import random
from collections.abc import Iterator

from bse_exchange_sim.universe.day_maker import draw_bar
from bse_exchange_sim.universe.isin import invented_isin
from bse_exchange_sim.universe.scrip import Listing, Scrip, on_tick, tick_for


FIRST_CODE = 591_001
LAST_CODE = 599_999
GROUP_SHARES = {
    "B": 1187,
    "X": 971,
    "A": 716,
    "XT": 595,
    "F": 261,
    "T": 247,
    "M": 182,
    "G": 53,
    "Z": 52,
    "MT": 27,
    "E": 23,
    "P": 16,
    "IF": 8,
}
_TRADED_OFTEN = {"A": 1500, "B": 300, "E": 60, "IF": 60}
_USUAL_TRADES = 25
_MIN_PRICE_PAISE = 50
_MAX_PRICE_PAISE = 4_000_000


def _price(rng: random.Random) -> int:
    drawn = int(rng.lognormvariate(9.6, 1.4))
    price = max(_MIN_PRICE_PAISE, min(_MAX_PRICE_PAISE, drawn))
    return on_tick(price, tick_for(price))


def _invent(code: int, number: int, group: str, rng: random.Random) -> Listing:
    price = _price(rng)
    scrip = Scrip(
        code=code,
        symbol=f"SIM{number:05d}",
        isin=invented_isin(number),
        group=group,
        name=f"Simulated Company {number} Ltd",
        tick_paise=tick_for(price),
    )
    usual = _TRADED_OFTEN.get(group, _USUAL_TRADES)
    trades = max(1, int(rng.lognormvariate(0, 1.3) * usual))
    volume = trades * rng.randint(5, 120)
    return Listing(scrip, draw_bar(scrip, price, volume, trades, rng))


def invent(count: int, rng: random.Random) -> Iterator[Listing]:
    """Yield `count` fictional listings, always the same for the same generator."""
    count = min(count, LAST_CODE - FIRST_CODE + 1)
    groups = rng.choices(
        list(GROUP_SHARES), weights=list(GROUP_SHARES.values()), k=count
    )
    for index, group in enumerate(groups):
        yield _invent(FIRST_CODE + index, index + 1, group, rng)
