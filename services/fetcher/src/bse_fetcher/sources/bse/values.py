"""How BSE writes values: prices, counts, codes, names and times, and what no quote can have.

Pure. A number that came as a string is read, and counted as drift under its member's name.
"""

import html
import re
from datetime import UTC, datetime
from functools import lru_cache

from bse_fetcher.sources.money import BadValue, shown, whole_paise


CODE_MAX = 9_999_999
CODE_DIGITS_MAX = 9
NAME_MAX = 200

SECONDS_LENGTH = len("2023-10-23T13:02:34")
YEAR_MIN = 1990
"""Databases write "never" as the year 1 or 1900."""

IST_OFFSET_MS = 19_800_000
NO_VALUE = frozenset({"", "-", "--", "NA"})

NUMBER_FORM = re.compile(r"[+-]?(\d{1,3}(,\d{2,3})*,\d{3}|\d+)(\.\d*)?", re.ASCII)
"""Indian or Western grouping: `1439,65` is no price, and surely not 143,965 rupees."""


def code(value: object) -> int:
    """A scrip code, as a number or as digits."""
    number = value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        number = int(value) if len(value) <= CODE_DIGITS_MAX else 0
    if type(number) is not int or not 0 < number <= CODE_MAX:
        raise BadValue(f"scrip code {shown(value)}")
    return number


def text(value: object) -> str:
    """A name, or nothing where there is none or it is no text. BSE writes some with HTML's `&amp;`."""
    if not isinstance(value, str):
        return ""
    found = value.strip()[:NAME_MAX]
    return html.unescape(found).strip() if "&" in found else found


def paise(value: object, name: str, drift: dict[str, int]) -> int | None:
    """Rupees as paise; None for no value (0.00 means no trade on record)."""
    if type(value) is not float and type(value) is not int:
        value = _as_number(value, name, drift)
        if value is None:
            return None
    return whole_paise(value, name)


def count(value: object, unit: int, name: str, drift: dict[str, int]) -> int | None:
    """A number of things, in units of `unit`."""
    if type(value) is not float and type(value) is not int:
        value = _as_number(value, name, drift)
        if value is None:
            return None
    scaled = value * unit
    if not 0 <= scaled < 2**53:
        raise BadValue(f"{name} {shown(value)}")
    return round(scaled)


def _as_number(value: object, name: str, drift: dict[str, int]) -> float | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadValue(f"{name} {shown(value)}")
    drift[f"retyped:{name}"] = drift.get(f"retyped:{name}", 0) + 1
    text = value.strip()
    if text in NO_VALUE:
        return None
    if not NUMBER_FORM.fullmatch(text):
        raise BadValue(f"{name} {shown(value)}")
    return float(text.replace(",", ""))


@lru_cache(maxsize=8192)
def time_ms(text: str) -> int | None:
    """IST without zone, to the second, as epoch milliseconds; None for no time."""
    if text.strip() in NO_VALUE:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadValue(f"dt_tm {shown(text)}") from None
    if at.tzinfo is not None or len(text) < SECONDS_LENGTH:
        raise BadValue(f"dt_tm {shown(text)}")
    if at.year < YEAR_MIN:
        return None
    return int(at.replace(tzinfo=UTC).timestamp()) * 1000 - IST_OFFSET_MS
