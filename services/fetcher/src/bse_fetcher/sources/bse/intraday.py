"""`StockReachGraph`: the minutes of a scrip's day as BSE keeps them. Pure.

JSON inside JSON, newest first; a point has the last price and the volume of its minute, so that open, high and low
are not known: a candle made of it is flat.
"""

from datetime import UTC, datetime

import msgspec

from bse_fetcher.sources.bodies import UNREADABLE, json_of, malformed
from bse_fetcher.sources.bse.values import IST_OFFSET_MS, YEAR_MIN, count, paise
from bse_fetcher.sources.errors import MalformedAnswer
from bse_fetcher.sources.money import BadValue, shown
from bse_shared.quotes.candles import MINUTE_MS, Candle, CandleFlag


POINT_TIME = "%a %b %d %Y %H:%M:%S"
POINTS_MAX = 1000


class _Graph(msgspec.Struct):
    Data: str


class _Point(msgspec.Struct):
    dttm: str
    vale1: object = None
    vole: object = None


_text = msgspec.json.Decoder(str)
_graph = msgspec.json.Decoder(_Graph)
_points = msgspec.json.Decoder(list[msgspec.Raw])
_point = msgspec.json.Decoder(_Point)


def read_minutes(body: bytes) -> list[Candle]:
    """The minutes by time, each once, flagged FILLED; a point that can't be is left out.

    Raises MalformedAnswer, also where none of the points can be: then they are written in another way.
    """
    try:
        body = json_of(body)
        if body.lstrip().startswith(b'"'):
            body = _text.decode(body).encode()
        points = _points.decode(_graph.decode(body).Data or "[]")
    except (*UNREADABLE, UnicodeEncodeError) as error:
        raise malformed(error) from error
    candles: dict[int, Candle] = {}
    for raw in points[:POINTS_MAX]:
        try:
            candle = _candle(_point.decode(raw))
        except (BadValue, *UNREADABLE):
            continue
        candles.setdefault(candle.start_ms, candle)
    if points and not candles:
        raise MalformedAnswer("shape", f"no usable point of {len(points)}")
    return [candles[start_ms] for start_ms in sorted(candles)]


def _candle(point: _Point) -> Candle:
    price = paise(point.vale1, "vale1", {})
    volume = count(point.vole, 1, "vole", {})
    if price is None:
        raise BadValue("no price")
    try:
        at = datetime.strptime(point.dttm, POINT_TIME).replace(tzinfo=UTC)
    except ValueError:
        raise BadValue(f"dttm {shown(point.dttm)}") from None
    if at.year < YEAR_MIN:
        raise BadValue(f"dttm {shown(point.dttm)}")
    at_ms = int(at.timestamp()) * 1000 - IST_OFFSET_MS
    start_ms = at_ms - at_ms % MINUTE_MS
    filled = int(CandleFlag.FILLED)
    return Candle(start_ms, price, price, price, price, volume or 0, filled)
