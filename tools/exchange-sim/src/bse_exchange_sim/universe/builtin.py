"""The built-in universe: some 118 real scrips in front, invented ones behind.

`liquid.csv` holds real codes, symbols, ISINs, groups and index membership (SENSEX as
of 22 Dec 2025, a list like the BSE 100). Its prices and volumes are rounded, plausible
figures to start from, not a record of any day.
"""

import csv

import msgspec

from bse_exchange_sim.seeding import rng_for
from bse_exchange_sim.universe.day_maker import draw_bar
from bse_exchange_sim.universe.invented import invent
from bse_exchange_sim.universe.scrip import Listing, Scrip


BUILTIN_SCRIPS = 4_349
_INVENTED_STREAM = 0


class Known(msgspec.Struct, frozen=True, gc=False):
    """One row of the built-in list: a real scrip and its usual day."""

    scrip: Scrip
    price_paise: int
    daily_volume: int
    daily_trades: int


def read_known(liquid_csv: str) -> dict[int, Known]:
    """Read the built-in list, in its order."""
    rows = csv.DictReader(liquid_csv.splitlines())
    return {int(row["code"]): _known(row) for row in rows}


def _known(row: dict[str, str]) -> Known:
    scrip = Scrip(
        code=int(row["code"]),
        symbol=row["symbol"],
        isin=row["isin"],
        group=row["group"],
        name=row["name"],
        face_value_paise=int(row["face_value_paise"]),
        tick_paise=int(row["tick_paise"]),
        indices=tuple(name for name in row["indices"].split("|") if name),
    )
    return Known(
        scrip,
        int(row["price_paise"]),
        int(row["daily_volume"]),
        int(row["daily_trades"]),
    )


def builtin_universe(
    known: dict[int, Known], seed: int, size: int = BUILTIN_SCRIPS
) -> tuple[Listing, ...]:
    """Return `size` listings, the real ones first, the same for the same seed."""
    real = [
        Listing(
            entry.scrip,
            draw_bar(
                entry.scrip,
                entry.price_paise,
                entry.daily_volume,
                entry.daily_trades,
                rng_for(seed, code),
            ),
        )
        for code, entry in list(known.items())[:size]
    ]
    rng = rng_for(seed, _INVENTED_STREAM)
    return (*real, *invent(max(0, size - len(real)), rng))
