"""What readers compute from a quote: change, percent, the exchange's time in words. Pure, integers only."""

import datetime as dt
from typing import NamedTuple

from bse_shared.quotes.quote import Quote


_IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=_IST) + dt.timedelta(hours=5, minutes=30)


class Change(NamedTuple):
    """Against the previous close: in paise, and in hundredths of a percent (basis points)."""

    paise: int | None
    basis_points: int | None


def change_of(quote: Quote) -> Change:
    """The day's change; None where a price is unknown, percent also where the previous close is not above zero."""
    last, previous = quote.last_paise, quote.previous_close_paise
    if last is None or previous is None:
        return Change(None, None)
    change = last - previous
    if previous <= 0:
        return Change(change, None)
    return Change(change, rounded_ratio(change * 10_000, previous))


def rounded_ratio(numerator: int, denominator: int) -> int:
    """The nearest integer to the ratio, a half to the even one; `denominator` is above zero."""
    quotient, rest = divmod(numerator, denominator)
    doubled = 2 * rest
    up = doubled > denominator or (doubled == denominator and quotient % 2 == 1)
    return quotient + up


def indian_time(at_ms: int | None) -> str | None:
    """ISO 8601 with +05:30; None for unknown, and for a number that is no date."""
    if at_ms is None:
        return None
    try:
        return (_EPOCH + dt.timedelta(milliseconds=at_ms)).isoformat(
            timespec="milliseconds"
        )
    except OverflowError:
        return None
