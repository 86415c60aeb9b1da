"""Candles as bytes: MessagePack arrays that begin with a version; a reader passes over trailing elements."""

import msgspec

from bse_shared.quotes.candles import Candle
from bse_shared.wire.bus import MalformedMessage


VERSION = 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[int]).decode
_MEMBERS = len(Candle._fields)


def pack_candle(candle: Candle) -> bytes:
    """`[version, start_ms, open, high, low, close, volume, flags]`."""
    return _encode((VERSION, *candle))


def unpack_candle(data: bytes) -> Candle:
    """The candle. Raises MalformedMessage."""
    try:
        values = _decode(data)
    except (msgspec.MsgspecError, ValueError) as error:
        raise MalformedMessage(f"not a candle: {error}") from error
    if len(values) <= _MEMBERS or values[0] != VERSION:
        raise MalformedMessage("not a candle of this version")
    return Candle._make(values[1 : _MEMBERS + 1])
