"""The instrument master as bytes: compressed MessagePack, a row a scrip."""

import zlib
from collections.abc import Iterable

import msgpack

from bse_shared.quotes.instrument import Instrument
from bse_shared.wire.bus import MalformedMessage


_MASTER_BYTES_MAX = 64 * 1024 * 1024


def pack_instruments(instruments: Iterable[Instrument]) -> bytes:
    """All rows, `[code, symbol, isin, name, group, indices]` each, compressed."""
    return zlib.compress(msgpack.packb([tuple(i) for i in instruments]), 1)


def unpack_instruments(data: bytes) -> list[Instrument]:
    """The rows. Raises MalformedMessage."""
    try:
        inflater = zlib.decompressobj()
        raw = inflater.decompress(data, _MASTER_BYTES_MAX)
        return [_instrument(*row[:6]) for row in msgpack.unpackb(raw)]
    except (zlib.error, ValueError, TypeError, msgpack.UnpackException) as error:
        raise MalformedMessage(f"not an instrument master: {error}") from error


def _instrument(code: object, *texts: object) -> Instrument:
    if type(code) is not int or not all(isinstance(text, str) for text in texts):
        raise TypeError("a row is a code and texts")
    return Instrument(code, *map(str, texts))
