"""Rupees and names for people: the JSON of the raw door, and the same wrapped as Socket.IO events.

Rupees are written from integer paise by integer arithmetic, always with two decimals.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any

import msgspec

from bse_shared.quotes.frame import Image
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import FIELDS, Condition, Kind, Quote, Source
from bse_ws_hub.encodings.codec import Framer
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.encodings.wire import Wire, engine_frame, text_frame


def rupees(paise: int) -> str:
    """Paise as rupees with exactly two decimals."""
    if paise < 0:
        return "-" + rupees(-paise)
    return "%d.%02d" % divmod(paise, 100)  # noqa: UP031 - a third faster


def _levels(levels: Sequence[Sequence[int]]) -> str:
    return "[" + ",".join(f"[{rupees(p)},{q}]" for p, q in levels) + "]"


def _name(kind: type[IntEnum], value: int, otherwise: str) -> str:
    """The name of a number, also of one that a newer fetcher may write."""
    known = value in kind._value2member_map_
    return f'"{kind(value).name.lower() if known else otherwise}"'


_WRITE: dict[Kind, Callable[[Any], str]] = {
    Kind.PAISE: rupees,
    Kind.COUNT: str,
    Kind.TIME_MS: str,
    Kind.LEVELS: _levels,
    Kind.SOURCE: lambda value: _name(Source, value, "unknown"),
    # A condition that this version does not know is a warning that it can't read.
    Kind.CONDITION: lambda value: _name(Condition, value, "suspect"),
}

_FIELDS = [
    (field.number, f',"{field.public_name}":', _WRITE[field.kind]) for field in FIELDS
]


@lru_cache(maxsize=65536)
def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _head(
    opening: str, kind: str, sent_at_ms: int, received_at_ms: int, published_at_ms: int
) -> bytes:
    """What all frames of a tick begin with."""
    received = "" if kind == "quality" else f',"received_at_ms":{received_at_ms}'
    if published_at_ms:
        received += f',"published_at_ms":{published_at_ms}'
    opened = opening.replace("KIND", kind)
    return f'{opened}"sent_at_ms":{sent_at_ms}{received},"quotes":['.encode()


@lru_cache(maxsize=4096)
def _fields_of(mask: int) -> list[tuple[int, str, Callable[[Any], str]]]:
    return [field for field in _FIELDS if mask >> field[0] & 1]


def _members(quote: Quote, mask: int) -> str:
    parts = []
    for number, name, write in _fields_of(mask):
        value = quote[number]
        parts.append(name + ("null" if value is None else write(value)))
    return "".join(parts)


class JsonCodec:
    """The JSON of the raw door. A chunk ends with the comma that parts it from the next."""

    door = "json"
    chunks = "json"
    opening, ending = '{"type":"KIND",', b"]}"

    def __init__(self, name: str = "json", wire: Wire = text_frame):
        self.name = name
        self.wire = wire

    def image_chunk(
        self, code: int, symbol: str, image: Image, mask: int, quality: Quality
    ) -> bytes:
        """See Codec."""
        position = image.position
        return (
            f'{{"symbol":{_quoted(symbol)},"code":{code},"epoch":{position.epoch}'
            f',"sequence":{position.sequence},"changed_at_ms":{image.changed_at_ms}'
            f',"quality":"{quality}"{_members(image.quote, mask)}}},'
        ).encode()

    def update_chunk(
        self, code: int, symbol: str, quote: Quote, mask: int, since: int, to: int
    ) -> bytes:
        """See Codec."""
        return (
            f'{{"symbol":{_quoted(symbol)},"code":{code},"from":{since}'
            f',"to":{to}{_members(quote, mask)}}},'
        ).encode()

    def quality_chunk(self, code: int, symbol: str, quality: Quality) -> bytes:
        """See Codec."""
        return f'{{"symbol":{_quoted(symbol)},"code":{code},"quality":"{quality}"}},'.encode()

    def framer(
        self, kind: str, sent_at_ms: int, received_at_ms: int, published_at_ms: int = 0
    ) -> Framer:
        """See Codec."""
        head = _head(self.opening, kind, sent_at_ms, received_at_ms, published_at_ms)
        ending, join = self.ending, b"".join

        def framed(chunks: Iterable[bytes], _: int) -> bytes:
            return join((head, join(chunks)[:-1], ending))  # without the last comma

        return framed

    def message(self, message: Message) -> bytes:
        """See Codec."""
        return msgspec.json.encode(message)


class SocketIoCodec(JsonCodec):
    """The same as Socket.IO event packets (`2["type",{…}]`), which Engine.IO wraps as messages."""

    door = "socketio"
    opening, ending = '2["KIND",{', b"]}]"

    def __init__(self, name: str = "socketio", wire: Wire = engine_frame):
        super().__init__(name, wire)

    def message(self, message: Message) -> bytes:
        """See Codec."""
        members = {name: value for name, value in message.items() if name != "type"}
        return b"2" + msgspec.json.encode([message["type"], members])
