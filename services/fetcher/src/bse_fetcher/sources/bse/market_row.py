"""A row of `GetMktData`, read with patience: any type, any member missing. The slow and whole truth of a row.

Pure. `GetMktData` rows carry JSON numbers; BSE's other answers carry strings with Indian commas, so both are
read, and a number that came as a string is counted as drift.
"""

from functools import lru_cache

import msgspec

from bse_fetcher.sources.answer import Answer
from bse_fetcher.sources.bse.values import code, count, paise, text, time_ms
from bse_fetcher.sources.money import BadValue
from bse_shared.quotes.instrument import Instrument, index_name
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


Scalar = int | float | str | bool | None

PAISE_PER_LAKH_RUPEES = 10_000_000
INDICES_MAX = 2000
"""Characters of a row's list of indices that are read."""

LAST, OPEN, HIGH, LOW, PREVIOUS_CLOSE = (
    NUMBER[name]
    for name in (
        "last_paise",
        "open_paise",
        "high_paise",
        "low_paise",
        "previous_close_paise",
    )
)
VOLUME, TRADES, TURNOVER, TIME, SOURCE, CONDITION = (
    NUMBER[name]
    for name in (
        "volume",
        "trades",
        "turnover_paise",
        "exchange_time_ms",
        "source",
        "condition",
    )
)
BSE = int(Source.BSE)
GOOD = int(Condition.GOOD)


class MarketRow(msgspec.Struct):
    """A row of `GetMktData`, as far as it is used; a missing member stays UNSET."""

    scrip_cd: Scalar | msgspec.UnsetType = msgspec.UNSET
    scripname: Scalar | msgspec.UnsetType = msgspec.UNSET
    LONG_NAME: Scalar | msgspec.UnsetType = msgspec.UNSET
    scrip_grp: Scalar | msgspec.UnsetType = msgspec.UNSET
    index_code: Scalar | msgspec.UnsetType = msgspec.UNSET
    openrate: Scalar | msgspec.UnsetType = msgspec.UNSET
    highrate: Scalar | msgspec.UnsetType = msgspec.UNSET
    lowrate: Scalar | msgspec.UnsetType = msgspec.UNSET
    ltradert: Scalar | msgspec.UnsetType = msgspec.UNSET
    prevdayclose: Scalar | msgspec.UnsetType = msgspec.UNSET
    trd_val: Scalar | msgspec.UnsetType = msgspec.UNSET
    trd_vol: Scalar | msgspec.UnsetType = msgspec.UNSET
    nooftrd: Scalar | msgspec.UnsetType = msgspec.UNSET
    dt_tm: Scalar | msgspec.UnsetType = msgspec.UNSET


def read_row(row: MarketRow, answer: Answer) -> None:
    """Take the row into the answer. Raises BadValue where it can't be right."""
    scrip = code(row.scrip_cd)
    if scrip in answer.seen:
        raise BadValue("the scrip is listed twice")
    drift = answer.drift
    fields: dict[int, Value] = {SOURCE: BSE, CONDITION: GOOD}
    for name, number, value in (
        ("ltradert", LAST, row.ltradert),
        ("openrate", OPEN, row.openrate),
        ("highrate", HIGH, row.highrate),
        ("lowrate", LOW, row.lowrate),
        ("prevdayclose", PREVIOUS_CLOSE, row.prevdayclose),
    ):
        if value is msgspec.UNSET:
            drift[f"missing:{name}"] = drift.get(f"missing:{name}", 0) + 1
        else:
            fields[number] = paise(value, name, drift)
    if fields.get(LAST) is None:
        raise BadValue("no last price")
    high, low = fields.get(HIGH), fields.get(LOW)
    if isinstance(high, int) and isinstance(low, int) and high < low:
        raise BadValue(f"high {high} below low {low} (paise)")
    _read_activity(row, fields, drift)
    answer.seen[scrip] = fields
    if row.scripname is msgspec.UNSET:
        drift["missing:scripname"] = drift.get("missing:scripname", 0) + 1
    answer.instruments[scrip] = instrument_of(
        scrip, row.scripname, row.LONG_NAME, row.scrip_grp, row.index_code
    )


def instrument_of(
    scrip: int, symbol: object, name: object, group: object, indices: object
) -> Instrument:
    """Who the row speaks of."""
    return Instrument(
        scrip, text(symbol).upper(), "", text(name), text(group), _indices(indices)
    )


@lru_cache(maxsize=4096)
def _indices(value: object) -> str:
    """The indices of a row: `|S&P BSE 500|,|BSE SENSEX|` is `500|SENSEX`."""
    names = (
        value[:INDICES_MAX].replace("|", "").split(",")
        if isinstance(value, str)
        else []
    )
    known = (index_name(name) for name in names)
    return "|".join(name for name in known if name)


def _read_activity(
    row: MarketRow, fields: dict[int, Value], drift: dict[str, int]
) -> None:
    for name, number, value, unit in (
        ("trd_vol", VOLUME, row.trd_vol, 1),
        ("nooftrd", TRADES, row.nooftrd, 1),
        ("trd_val", TURNOVER, row.trd_val, PAISE_PER_LAKH_RUPEES),
    ):
        if value is msgspec.UNSET:
            drift[f"missing:{name}"] = drift.get(f"missing:{name}", 0) + 1
        else:
            fields[number] = count(value, unit, name, drift)
    if isinstance(row.dt_tm, str):
        fields[TIME] = time_ms(row.dt_tm)
    else:
        drift["missing:dt_tm"] = drift.get("missing:dt_tm", 0) + 1
