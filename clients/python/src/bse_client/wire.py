"""Bytes to messages and commands to bytes, for both subprotocols of the raw WebSocket door.

Pure. Whatever comes in, `decode` gives a Message or raises MalformedMessage; nothing else. A type that only a
newer hub knows is `Unknown`, and passed over by who reads it.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, NoReturn

import msgpack

from bse_client.checked import malformed, members, text
from bse_client.errors import MalformedMessage
from bse_client.messages import Message, Unknown
from bse_client.wire_control import READERS, Reader
from bse_client.wire_quotes import (
    Members,
    frequent_of_array,
    image_of_map,
    qualities_of_map,
    update_of_map,
)


Encoding = Literal["msgpack", "json"]
SUBPROTOCOLS: dict[Encoding, str] = {
    "msgpack": "bse.v1.msgpack",
    "json": "bse.v1.json",
}
PROTOCOL = 1


def decode(frame: str | bytes) -> Message:
    """The message in a text frame (JSON) or a binary frame (MessagePack)."""
    if isinstance(frame, str):
        return _of_map(members(_parse_json(frame)), _FROM_JSON)
    raw = _parse_msgpack(frame)
    if isinstance(raw, list):
        return frequent_of_array(raw)
    return _of_map(members(raw), READERS)


def encode(command: Mapping[str, object], encoding: Encoding) -> str | bytes:
    """A command as the text or the bytes to send."""
    if encoding == "json":
        return json.dumps(command, separators=(",", ":"))
    packed: bytes = msgpack.packb(command)
    return packed


def _parse_json(frame: str) -> object:
    try:
        parsed: object = json.loads(
            frame, parse_float=Decimal, parse_constant=_no_constant
        )
    except (ValueError, ArithmeticError, RecursionError) as problem:
        raise MalformedMessage(f"not JSON: {problem}") from problem
    return parsed


def _no_constant(name: str) -> NoReturn:
    malformed(f"{name} is no JSON")


def _parse_msgpack(frame: bytes) -> object:
    try:
        parsed: object = msgpack.unpackb(
            frame, strict_map_key=False, ext_hook=_no_extension
        )
    except (
        msgpack.UnpackException,
        ValueError,
        TypeError,  # a map whose key is a map
        OverflowError,
        RecursionError,
    ) as problem:
        raise MalformedMessage(f"not MessagePack: {problem}") from problem
    return parsed


def _no_extension(code: int, _data: bytes) -> NoReturn:
    malformed(f"MessagePack extension {code} is not used")


_FROM_JSON: dict[str, Reader] = {
    **READERS,
    "image": image_of_map,
    "update": update_of_map,
    "quality": qualities_of_map,
}


def _of_map(raw: Members, readers: Mapping[str, Reader]) -> Message:
    kind = text(raw.get("type"))
    reader = readers.get(kind)
    return reader(raw) if reader else Unknown(kind)
