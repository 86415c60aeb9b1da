"""Paise and numbers for machines: the MessagePack of the raw door."""

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from bse_shared.quotes.frame import Image
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import FIELDS, Quote
from bse_ws_hub.encodings.codec import Framer
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.encodings.wire import Wire, binary_frame


KINDS = {"image": 1, "update": 2, "quality": 3}

QUALITIES = {
    Quality.LIVE: 0,
    Quality.DELAYED: 1,
    Quality.STALE: 2,
    Quality.CLOSED: 3,
    Quality.HALTED: 4,
    Quality.SUSPECT: 5,
}

_pack: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode


def _around(
    kind: str, sent_at_ms: int, received_at_ms: int, published_at_ms: int
) -> tuple[bytes, bytes]:
    """What all frames of a tick begin and end with."""
    if kind == "quality":
        return b"\x93" + bytes((KINDS[kind],)) + _pack(sent_at_ms), b""
    times = bytes((KINDS[kind],)) + _pack(sent_at_ms) + _pack(received_at_ms)
    if published_at_ms:
        return b"\x95" + times, _pack(published_at_ms)
    return b"\x94" + times, b""


@lru_cache(maxsize=1024)
def _array(length: int) -> bytes:
    """MessagePack's array header in its shortest form."""
    if length < 16:  # noqa: PLR2004 - fixarray
        return bytes((0x90 | length,))
    if length < 65536:  # noqa: PLR2004 - array 16
        return struct.pack(">BH", 0xDC, length)
    return struct.pack(">BI", 0xDD, length)


@lru_cache(maxsize=4096)
def _numbers(mask: int) -> list[int]:
    return [field.number for field in FIELDS if mask >> field.number & 1]


class MsgpackCodec:
    """Arrays for the frequent messages, maps for the rare ones."""

    door = "msgpack"
    chunks = "msgpack"

    def __init__(self, name: str = "msgpack", wire: Wire = binary_frame):
        self.name = name
        self.wire = wire

    def image_chunk(
        self, code: int, symbol: str, image: Image, mask: int, quality: Quality
    ) -> bytes:
        """See Codec."""
        (epoch, sequence), changed_at_ms, quote = image
        fields = {number: quote[number] for number in _numbers(mask)}
        return _pack((code, epoch, sequence, changed_at_ms, QUALITIES[quality], fields))

    def update_chunk(
        self, code: int, symbol: str, quote: Quote, mask: int, since: int, to: int
    ) -> bytes:
        """See Codec."""
        fields = {number: quote[number] for number in _numbers(mask)}
        return _pack((code, since, to, fields))

    def quality_chunk(self, code: int, symbol: str, quality: Quality) -> bytes:
        """See Codec."""
        return _pack((code, QUALITIES[quality]))

    def framer(
        self, kind: str, sent_at_ms: int, received_at_ms: int, published_at_ms: int = 0
    ) -> Framer:
        """See Codec."""
        head, tail = _around(kind, sent_at_ms, received_at_ms, published_at_ms)
        join = b"".join

        def framed(chunks: Iterable[bytes], count: int) -> bytes:
            return join((head, _array(count), join(chunks), tail))

        return framed

    def message(self, message: Message) -> bytes:
        """See Codec."""
        return _pack(message)
