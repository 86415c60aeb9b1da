"""A row of `GetMktData` with the types that BSE sends, read fast. Pure.

What leaves any doubt (a value that can't be, digits that are no whole paise) is left to `market_row`.
"""

import msgspec

from bse_fetcher.sources.bse.market_row import (
    BSE,
    CONDITION,
    GOOD,
    HIGH,
    LAST,
    LOW,
    OPEN,
    PAISE_PER_LAKH_RUPEES,
    PREVIOUS_CLOSE,
    SOURCE,
    TIME,
    TRADES,
    TURNOVER,
    VOLUME,
)
from bse_fetcher.sources.bse.values import CODE_MAX, time_ms
from bse_fetcher.sources.money import PAISE_MAX, BadValue
from bse_shared.quotes.quote import Value


PAISE_PER_HUNDREDTH_LAKH = PAISE_PER_LAKH_RUPEES // 100
RUPEES_MAX = PAISE_MAX / 100
LAKHS_MAX = 10.0**8
VOLUME_MAX = 2**53


class TypedRow(msgspec.Struct, gc=False):
    """A row as BSE sends it: every member there, every one of its usual type.

    What most often differs comes first: comparing two rows ends there.
    """

    trd_vol: int
    dt_tm: str
    ltradert: float
    trd_val: float
    nooftrd: int
    highrate: float
    lowrate: float
    openrate: float
    prevdayclose: float
    scrip_cd: int
    scripname: str
    LONG_NAME: str
    scrip_grp: str
    index_code: str


Known = tuple[TypedRow, dict[int, Value]]
"""A row and the fields that were read from it."""


def same_name(old: TypedRow, new: TypedRow) -> bool:
    return (
        old.scripname == new.scripname
        and old.LONG_NAME == new.LONG_NAME
        and old.scrip_grp == new.scrip_grp
        and old.index_code == new.index_code
    )


def fields_of(row: TypedRow, held: Known | None) -> dict[int, Value] | None:  # noqa: PLR0911 - one guard a member
    """The fields of a row without any doubt; None where `market_row` has to look.

    A price is taken as the whole paise nearest to it, and only if these, divided by a hundred, give back the
    very double that the parser made of BSE's digits: then no other two decimals could have been meant.
    """
    price, lakhs = row.ltradert, row.trd_val
    # Before any arithmetic: what is absurd may not fit into a double in paise.
    if not (0 < price <= RUPEES_MAX and 0 <= lakhs < LAKHS_MAX):
        return None
    last, lakh = round(price * 100), round(lakhs * 100)
    if last / 100 != price or lakh / 100 != lakhs:
        return None
    if not (0 <= row.trd_vol < VOLUME_MAX and 0 <= row.nooftrd < VOLUME_MAX):
        return None
    if not 0 < row.scrip_cd <= CODE_MAX:
        return None
    day = _day(row, held)
    if day is None:
        return None
    high, low, opened, closed = day
    try:
        at_ms = time_ms(row.dt_tm)
    except BadValue:
        return None
    return {
        LAST: last,
        VOLUME: row.trd_vol,
        TURNOVER: lakh * PAISE_PER_HUNDREDTH_LAKH,
        TRADES: row.nooftrd,
        TIME: at_ms,
        HIGH: high,
        LOW: low,
        OPEN: opened,
        PREVIOUS_CLOSE: closed,
        SOURCE: BSE,
        CONDITION: GOOD,
    }


def _day(row: TypedRow, held: Known | None) -> tuple[Value, ...] | None:
    """High, low, open and last close; None where there is any doubt. They seldom move: what was read once is not
    read again.
    """
    if held is not None and (
        (old := held[0]).highrate == row.highrate
        and old.lowrate == row.lowrate
        and old.openrate == row.openrate
        and old.prevdayclose == row.prevdayclose
    ):
        known = held[1]
        return known[HIGH], known[LOW], known[OPEN], known[PREVIOUS_CLOSE]
    if not (0 < row.lowrate <= row.highrate <= RUPEES_MAX):
        return None
    if not (0 < row.openrate <= RUPEES_MAX and 0 < row.prevdayclose <= RUPEES_MAX):
        return None
    high, low = round(row.highrate * 100), round(row.lowrate * 100)
    opened, closed = round(row.openrate * 100), round(row.prevdayclose * 100)
    if high / 100 != row.highrate or low / 100 != row.lowrate:
        return None
    if opened / 100 != row.openrate or closed / 100 != row.prevdayclose:
        return None
    return high, low, opened, closed
