"""The tick sizes of scrips, from a file that may change while the process runs: BSE's own lists don't tell them.

A CSV with the columns `code` and `tick_paise`; a broker's instrument dump has both under other names. The tick is
set per scrip and follows the price late, so it is never computed from it.
"""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

import structlog


log = structlog.get_logger()

BYTES_MAX = 8 * 1024 * 1024
TICK_MAX_PAISE = 10_000
DIGITS = re.compile(r"\d{1,9}", re.ASCII)

_COLUMNS = ("code", "tick_paise")


class TickSource:
    """The ticks in force; `reload` takes a changed file, and keeps the old ones if the new is wrong."""

    def __init__(self, path: str):
        """No path: nothing is known."""
        self.ticks: Mapping[int, int] = {}
        self._path = Path(path) if path else None
        self._read_at: tuple[int, ...] | None = None
        self._problem = ""

    async def reload(self) -> None:
        """Read the file again if it changed."""
        if self._path is None:
            return
        try:
            found = self._path.stat()
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            if version == self._read_at:
                return
            with self._path.open("rb") as file:
                ticks = parse_ticks(file.read(BYTES_MAX))
        except (OSError, ValueError) as error:
            # Once, not at each reload; a file that could not be read is tried again.
            if str(error) != self._problem:
                self._problem = str(error)
                log.warning("ticks.not_read", path=str(self._path), error=str(error))
            return
        self._read_at, self._problem, self.ticks = version, "", ticks
        log.info("ticks.read", path=str(self._path), scrips=len(ticks))


def parse_ticks(data: bytes) -> dict[int, int]:
    """Scrip code to tick. Raises ValueError, with the line, for anything that is no such file."""
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise ValueError("the columns code and tick_paise are wanted")
    ticks = {}
    try:
        for row in rows:
            code, tick = (_whole(row[name].strip()) for name in _COLUMNS)
            if not code or not 0 < tick <= TICK_MAX_PAISE:
                raise ValueError(f"line {rows.line_num}: no code with a tick")
            ticks[code] = tick
    except (csv.Error, AttributeError) as error:  # None where a row is too short
        raise ValueError(f"line {rows.line_num}: {error}") from error
    return ticks


def _whole(text: str) -> int:
    """A number of up to nine digits; 0 for what is none."""
    return int(text) if DIGITS.fullmatch(text) else 0
