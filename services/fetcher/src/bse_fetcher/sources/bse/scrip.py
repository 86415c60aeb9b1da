"""BSE's answers about one scrip: quote header, trading, 52 weeks, depth. Pure.

Everything is text with Indian commas. The header's time has minutes only and comes without volume; the upper half
of `CktLimit` is the traded quantity, not a limit, so only the lower one is taken; depth is `null` when closed.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from bse_fetcher.sources.answer import Answer, Rejected
from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.bse.values import IST_OFFSET_MS, NO_VALUE, count, paise
from bse_fetcher.sources.money import BadValue, shown
from bse_shared.quotes.quote import NUMBER, Condition, Source, Value


LEVELS = 5
HEADER_TIME = "%d %b %y | %H:%M"

Fields = dict[int, Value]


class _Header(msgspec.Struct):
    LTP: str | None = None
    Open: str | None = None
    High: str | None = None
    Low: str | None = None
    PrevClose: str | None = None
    Ason: str | None = None


class _HeaderBody(msgspec.Struct):
    Header: _Header


class _Trading(msgspec.Struct):
    WAP: str | None = None
    CktLimit: str | None = None


class _Range(msgspec.Struct):
    Fifty2WkHigh_adj: str | None = None
    Fifty2WkLow_adj: str | None = None


_header = msgspec.json.Decoder(_HeaderBody)
_trading = msgspec.json.Decoder(_Trading)
_range = msgspec.json.Decoder(_Range)
_depth = msgspec.json.Decoder(dict[str, str | None])


def read_header(body: bytes, code: int) -> Answer:
    """`getScripHeaderData`. An unknown or dead scrip is named. Raises MalformedAnswer."""
    try:
        header = _header.decode(json_of(body)).Header
    except UNREADABLE as error:
        raise malformed(error) from error

    def fields() -> Fields:
        last = _paise(header.LTP, "LTP")
        if last is None:
            raise BadValue("no last price")
        return {
            NUMBER["source"]: int(Source.BSE),
            NUMBER["condition"]: int(Condition.GOOD),
            NUMBER["last_paise"]: last,
            NUMBER["open_paise"]: _paise(header.Open, "Open"),
            NUMBER["high_paise"]: _paise(header.High, "High"),
            NUMBER["low_paise"]: _paise(header.Low, "Low"),
            NUMBER["previous_close_paise"]: _paise(header.PrevClose, "PrevClose"),
            NUMBER["exchange_time_ms"]: minutes_ms(header.Ason),
        }

    return _answer(code, fields)


def read_trading(body: bytes, code: int) -> Answer:
    """`StockTrading`: average price and lower circuit limit. Raises MalformedAnswer."""
    try:
        trading = _trading.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error
    _, _, lower = (trading.CktLimit or "").partition("/")
    return _answer(
        code,
        lambda: {
            NUMBER["average_price_paise"]: _paise(trading.WAP, "WAP"),
            NUMBER["lower_circuit_paise"]: _paise(lower, "CktLimit"),
        },
    )


def read_range(body: bytes, code: int) -> Answer:
    """`HighLow`: the 52-week range. Raises MalformedAnswer."""
    try:
        found = _range.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error
    return _answer(
        code,
        lambda: {
            NUMBER["high_52_week_paise"]: _paise(found.Fifty2WkHigh_adj, "52 high"),
            NUMBER["low_52_week_paise"]: _paise(found.Fifty2WkLow_adj, "52 low"),
        },
    )


def read_depth(body: bytes, code: int) -> Answer:
    """`MarketDepth`: five levels a side; nothing while the market is closed. Raises MalformedAnswer."""
    if body.strip() == b"null":
        return Answer()
    try:
        depth = _depth.decode(json_of(body))
    except UNREADABLE as error:
        raise malformed(error) from error

    def fields() -> Fields:
        bids, asks = _side(depth, "B"), _side(depth, "S")
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


def _answer(code: int, fields: Callable[[], Fields]) -> Answer:
    answer = Answer()
    try:
        answer.seen[code] = fields()
    except BadValue as error:
        answer.rejected.append(Rejected(str(code), str(error)))
    return answer


def _side(depth: dict[str, str | None], letter: str) -> list[tuple[int, int]]:
    levels = []
    for place in range(1, LEVELS + 1):
        price = _paise(depth.get(f"{letter}Price{place}"), "level")
        quantity = count(depth.get(f"{letter}Qty{place}"), 1, "quantity", {})
        if price is not None and quantity:
            levels.append((price, quantity))
    return levels


def _paise(text: str | None, name: str) -> int | None:
    # That numbers are text here is no drift.
    return paise(text, name, {})


def minutes_ms(text: str | None) -> int | None:
    """`30 Sep 26 | 13:07` in India as epoch milliseconds; None for no time."""
    if text is None or text.strip() in NO_VALUE:
        return None
    try:
        at = datetime.strptime(text.strip(), HEADER_TIME).replace(tzinfo=UTC)
    except ValueError:
        raise BadValue(f"Ason {shown(text)}") from None
    return int(at.timestamp()) * 1000 - IST_OFFSET_MS
