"""How bse-watch writes numbers, ages and moments: the Indian way. Pure."""

import datetime as dt
from decimal import Decimal


IST = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")
UNKNOWN = "–"
_MINUTE_S = 60
_HOUR_S = 3_600
_TENTHS_BELOW_S = 10


def grouped(number: int) -> str:
    """Digits in lakh and crore groups: 12,34,567."""
    sign, digits = ("-" if number < 0 else ""), str(abs(number))
    head, tail = digits[:-3], digits[-3:]
    groups: list[str] = []
    while head:
        head, group = head[:-2], head[-2:]
        groups.insert(0, group)
    return sign + ",".join([*groups, tail])


def rupees_text(amount: Decimal | None) -> str:
    """An amount with two decimals and groups."""
    if amount is None:
        return UNKNOWN
    whole, _, cents = f"{abs(amount):.2f}".partition(".")
    return ("-" if amount < 0 else "") + f"{grouped(int(whole))}.{cents}"


def signed(amount: Decimal | None, unit: str = "") -> str:
    """A change with its sign."""
    if amount is None:
        return UNKNOWN
    return ("+" if amount > 0 else "") + rupees_text(amount) + unit


def count_text(number: int | None) -> str:
    """A count with groups."""
    return UNKNOWN if number is None else grouped(number)


def age_text(age_ms: int | None) -> str:
    """An age as short as it is still useful."""
    if age_ms is None:
        return UNKNOWN
    seconds = age_ms / 1000
    if seconds < _TENTHS_BELOW_S:
        return f"{seconds:.1f} s"
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S:.0f} min"
    return f"{seconds // _HOUR_S:.0f} h"


def moment_text(epoch_ms: int | None) -> str:
    """The Indian time of day of an instant; empty if there is none."""
    if epoch_ms is None:
        return ""
    try:
        moment = dt.datetime.fromtimestamp(epoch_ms / 1000, IST)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.strftime("%H:%M IST")
