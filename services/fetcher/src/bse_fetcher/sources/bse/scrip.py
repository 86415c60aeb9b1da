"""BSE's answers about one scrip: quote header, trading, 52 weeks, depth. Pure.

Everything is text with Indian commas. The header's time has minutes only and comes without volume; the upper half
of `CktLimit` is the traded quantity, not a limit, so only the lower one is taken; depth is `null` when closed.
A member that is gone tells nothing, one that is null, a dash or empty tells that there is none.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, count_drift, json_of, malformed
from bse_fetcher.sources.bse.values import (
    IST_OFFSET_MS,
    NO_VALUE,
    YEAR_MIN,
    count,
    paise,
)
from bse_fetcher.sources.money import BadValue, shown
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


LEVELS = 5
HEADER_TIME = "%d %b %y | %H:%M"

_HIGH, _LOW = NUMBER["high_paise"], NUMBER["low_paise"]

Fields = dict[int, Value]
Drift = dict[str, int]


class _Header(msgspec.Struct):
    LTP: object = msgspec.UNSET
    Open: object = msgspec.UNSET
    High: object = msgspec.UNSET
    Low: object = msgspec.UNSET
    PrevClose: object = msgspec.UNSET
    Ason: object = msgspec.UNSET


class _HeaderBody(msgspec.Struct):
    Header: _Header


class _Trading(msgspec.Struct):
    WAP: object = msgspec.UNSET
    CktLimit: object = msgspec.UNSET


class _Range(msgspec.Struct):
    Fifty2WkHigh_adj: object = msgspec.UNSET
    Fifty2WkLow_adj: object = msgspec.UNSET


_header = msgspec.json.Decoder(_HeaderBody)
_trading = msgspec.json.Decoder(_Trading)
_range = msgspec.json.Decoder(_Range)
_depth = msgspec.json.Decoder(dict[str, object])


def read_header(body: bytes, code: int) -> Answer:
    """`getScripHeaderData`. An unknown or dead scrip is named. Raises MalformedAnswer."""
    try:
        header = _header.decode(json_of(body)).Header
    except UNREADABLE as error:
        raise malformed(error) from error

    def fields(drift: Drift) -> Fields:
        last = _paise(header.LTP, "LTP", drift)
        if last is None:
            raise BadValue("no last price")
        found: Fields = {
            NUMBER["source"]: int(Source.BSE),
            NUMBER["condition"]: int(Condition.GOOD),
            NUMBER["last_paise"]: last,
        }
        _tell(found, "open_paise", header.Open, "Open", drift)
        _tell(found, "high_paise", header.High, "High", drift)
        _tell(found, "low_paise", header.Low, "Low", drift)
        _tell(found, "previous_close_paise", header.PrevClose, "PrevClose", drift)
        if _is_told(header.Ason, "Ason", drift):
            found[NUMBER["exchange_time_ms"]] = minutes_ms(header.Ason)
        high, low = found.get(_HIGH), found.get(_LOW)
        if isinstance(high, int) and isinstance(low, int) and high < low:
            raise BadValue(f"high {high} below low {low} (paise)")
        return found

    return _answer(code, fields)


def read_trading(body: bytes, code: int) -> Answer:
    """`StockTrading`: average price and lower circuit limit. Raises MalformedAnswer."""
    try:
        trading = _trading.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error

    def fields(drift: Drift) -> Fields:
        found: Fields = {}
        _tell(found, "average_price_paise", trading.WAP, "WAP", drift)
        limits = trading.CktLimit
        if isinstance(limits, str):
            _, _, limits = limits.partition("/")
        _tell(found, "lower_circuit_paise", limits, "CktLimit", drift)
        return found

    return _answer(code, fields)


def read_range(body: bytes, code: int) -> Answer:
    """`HighLow`: the 52-week range. Raises MalformedAnswer."""
    try:
        told = _range.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error

    def fields(drift: Drift) -> Fields:
        found: Fields = {}
        high, low = told.Fifty2WkHigh_adj, told.Fifty2WkLow_adj
        _tell(found, "high_52_week_paise", high, "Fifty2WkHigh_adj", drift)
        _tell(found, "low_52_week_paise", low, "Fifty2WkLow_adj", drift)
        return found

    return _answer(code, fields)


def read_depth(body: bytes, code: int) -> Answer:
    """`MarketDepth`: five levels a side; nothing while the market is closed. Raises MalformedAnswer."""
    if body.strip() == b"null":
        return Answer()
    try:
        depth = _depth.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error

    def fields(drift: Drift) -> Fields:
        bids, asks = _side(depth, "B", drift), _side(depth, "S", drift)
        bid, bid_quantity = bids[0] if bids else (None, None)
        ask, ask_quantity = asks[0] if asks else (None, None)
        return {
            NUMBER["bids"]: tuple(bids),
            NUMBER["asks"]: tuple(asks),
            NUMBER["bid_paise"]: bid,
            NUMBER["bid_quantity"]: bid_quantity,
            NUMBER["ask_paise"]: ask,
            NUMBER["ask_quantity"]: ask_quantity,
        }

    return _answer(code, fields)


def _answer(code: int, fields: Callable[[Drift], Fields]) -> Answer:
    answer = Answer()
    try:
        answer.seen[code] = fields(answer.drift)
    except BadValue as error:
        answer.rejected.append(Rejected(str(code), str(error)))
    return answer


def _side(depth: dict[str, object], letter: str, drift: Drift) -> list[tuple[int, int]]:
    levels = []
    for place in range(1, LEVELS + 1):
        price_name, quantity_name = f"{letter}Price{place}", f"{letter}Qty{place}"
        price = _paise(depth.get(price_name, msgspec.UNSET), price_name, drift)
        quantity = depth.get(quantity_name, msgspec.UNSET)
        if not _is_told(quantity, quantity_name, drift):
            continue
        shares = count(quantity, 1, quantity_name, {})
        if price is not None and shares:
            levels.append((price, shares))
    return levels


def _tell(fields: Fields, field: str, value: object, name: str, drift: Drift) -> None:
    """Take a price into the fields; one that is gone is not taken for one that is none."""
    if _is_told(value, name, drift):
        fields[NUMBER[field]] = paise(value, name, {})


def _paise(value: object, name: str, drift: Drift) -> int | None:
    return paise(value, name, {}) if _is_told(value, name, drift) else None


def _is_told(value: object, name: str, drift: Drift) -> bool:
    """Whether the member is there. Numbers are text here: one that is none is read, and told as drift."""
    if value is msgspec.UNSET:
        count_drift(drift, f"missing:{name}")
        return False
    if not isinstance(value, str | None):
        count_drift(drift, f"retyped:{name}")
    return True


def minutes_ms(text: object) -> int | None:
    """`30 Sep 26 | 13:07` in India as epoch milliseconds; None for no time."""
    if text is None:
        return None
    if not isinstance(text, str):
        raise BadValue(f"Ason {shown(text)}")
    if text.strip() in NO_VALUE:
        return None
    try:
        at = datetime.strptime(text.strip(), HEADER_TIME).replace(tzinfo=UTC)
    except ValueError:
        raise BadValue(f"Ason {shown(text)}") from None
    if at.year < YEAR_MIN:
        return None
    return int(at.timestamp()) * 1000 - IST_OFFSET_MS
