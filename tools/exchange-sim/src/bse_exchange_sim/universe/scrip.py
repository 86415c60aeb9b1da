"""What a scrip and its trading day are. Money is integer paise."""

import re

import msgspec


PAISE_PER_RUPEE = 100
SMALL_TICK_PAISE = 1
LARGE_TICK_PAISE = 5
LARGE_TICK_FROM_PAISE = 100 * PAISE_PER_RUPEE


class Scrip(msgspec.Struct, frozen=True, gc=False):
    """One instrument, known by its numeric exchange code."""

    code: int
    symbol: str
    isin: str
    group: str
    name: str
    face_value_paise: int = 10 * PAISE_PER_RUPEE
    tick_paise: int = LARGE_TICK_PAISE
    indices: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """Return the path of the scrip's page on the exchange's site."""
        words = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        return f"/stock-share-price/{words}/{self.symbol.lower()}/{self.code}/"

    @property
    def shares(self) -> int:
        """Return an invented number of shares outstanding, fixed per code."""
        return 10_000_000 * (1 + self.code * 7919 % 997)


class DayBar(msgspec.Struct, frozen=True, gc=False):
    """One trading day of one scrip; `previous_close_paise` 0 means newly listed."""

    open_paise: int
    high_paise: int
    low_paise: int
    close_paise: int
    last_paise: int
    previous_close_paise: int
    volume: int
    turnover_paise: int
    trades: int


class Listing(msgspec.Struct, frozen=True, gc=False):
    """A scrip and the day it plays."""

    scrip: Scrip
    bar: DayBar


def tick_for(price_paise: int) -> int:
    """Return the tick of a price: 0.01 below Rs 100, 0.05 from Rs 100."""
    return (
        LARGE_TICK_PAISE if price_paise >= LARGE_TICK_FROM_PAISE else SMALL_TICK_PAISE
    )


def on_tick(price_paise: int, tick_paise: int) -> int:
    """Round a price down to its tick, but never to nothing."""
    return max(price_paise // tick_paise * tick_paise, tick_paise)
