"""How much of a quote a reader wants: the modes that Indian broker APIs name, as sets of fields."""

from collections.abc import Iterable
from enum import StrEnum

from bse_shared.quotes.quote import FIELDS, NUMBER


class Mode(StrEnum):
    """`ltp`: last price; `quote`: the day's summary and best bid/ask; `full`: everything, with depth."""

    LTP = "ltp"
    QUOTE = "quote"
    FULL = "full"


def mask_of_names(names: Iterable[str]) -> int:
    """The bit mask of the fields named (inside names, e.g. `last_paise`)."""
    mask = 0
    for name in names:
        mask |= 1 << NUMBER[name]
    return mask


# The condition is in every mode: a suspect price must look suspect to everybody.
_LTP = ("last_paise", "previous_close_paise", "exchange_time_ms", "condition")
_QUOTE = (
    *_LTP,
    "open_paise",
    "high_paise",
    "low_paise",
    "volume",
    "turnover_paise",
    "trades",
    "average_price_paise",
    "bid_paise",
    "bid_quantity",
    "ask_paise",
    "ask_quantity",
)

MODE_MASKS: dict[Mode, int] = {
    Mode.LTP: mask_of_names(_LTP),
    Mode.QUOTE: mask_of_names(_QUOTE),
    Mode.FULL: (1 << len(FIELDS)) - 1,
}
