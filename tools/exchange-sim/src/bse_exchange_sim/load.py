"""Reads the universe from disk: the built-in list, or an end-of-day file (edge)."""

from datetime import date
from importlib import resources
from pathlib import Path

import msgspec

from bse_exchange_sim.settings import Settings
from bse_exchange_sim.universe.bhavcopy import (
    BadRow,
    NotABhavcopyError,
    date_from_name,
    read_bhavcopy,
)
from bse_exchange_sim.universe.builtin import (
    BUILTIN_SCRIPS,
    Known,
    builtin_universe,
    read_known,
)
from bse_exchange_sim.universe.scrip import Listing


class Universe(msgspec.Struct, frozen=True):
    """What the exchange lists, where it came from and what could not be read."""

    listings: tuple[Listing, ...]
    source: str
    trade_date: date | None = None
    bad_rows: tuple[BadRow, ...] = ()


class UnreadableFileError(Exception):
    """The end-of-day file cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        """Keep which file and why."""
        super().__init__(f"BHAVCOPY {path}: {reason}")


def load_universe(settings: Settings) -> Universe:
    """Return the universe the settings ask for, cut to the asked size."""
    known = read_known(_liquid_csv())
    if settings.bhavcopy is None:
        size = settings.scrips or BUILTIN_SCRIPS
        return Universe(builtin_universe(known, settings.seed, size), "built in")
    return _from_file(settings.bhavcopy, known, settings.scrips)


def _liquid_csv() -> str:
    folder = resources.files("bse_exchange_sim.universe")
    return folder.joinpath("liquid.csv").read_text(encoding="utf-8")


def _from_file(path: Path, known: dict[int, Known], limit: int | None) -> Universe:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        scrips = {code: entry.scrip for code, entry in known.items()}
        file = read_bhavcopy(text, scrips)
    except (OSError, NotABhavcopyError) as error:
        raise UnreadableFileError(path, str(error)) from error
    best_first = sorted(file.listings, key=lambda each: each.scrip.code not in known)
    return Universe(
        tuple(best_first[:limit]),
        f"{file.layout} file {path.name}",
        file.trade_date or date_from_name(path.name),
        file.bad_rows,
    )
