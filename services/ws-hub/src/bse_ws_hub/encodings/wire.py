"""What goes onto the wire around a payload: WebSocket frames (RFC 6455, RFC 7692), made once for all receivers."""

import struct
import zlib
from collections.abc import Callable


Wire = Callable[[bytes], bytes]
"""Makes of a payload what is written to the client."""

_TEXT, _BINARY, _COMPRESSED = 0x81, 0x82, 0x40
_EMPTY_BLOCK = b"\x00\x00\xff\xff"

DEFLATE_BYTES_MIN = 256
"""A smaller message is sent as it is: its headers would eat what compression saves."""

WINDOW_BITS = 12
"""A frame is compressed for itself, so a window larger than a frame buys nothing."""


def text_frame(payload: bytes) -> bytes:
    """An unmasked text frame, as servers send them."""
    return _header(_TEXT, len(payload)) + payload


def binary_frame(payload: bytes) -> bytes:
    """An unmasked binary frame."""
    return _header(_BINARY, len(payload)) + payload


def engine_frame(payload: bytes) -> bytes:
    """An Engine.IO message (type 4) in a text frame."""
    return _header(_TEXT, len(payload) + 1) + b"4" + payload


def as_it_is(payload: bytes) -> bytes:
    """For doors that have frames of their own."""
    return payload


def deflated_text_frame(payload: bytes) -> bytes:
    """As `text_frame`, compressed without context takeover."""
    return _deflated(_TEXT, payload)


def deflated_binary_frame(payload: bytes) -> bytes:
    """As `binary_frame`, compressed without context takeover."""
    return _deflated(_BINARY, payload)


def deflated_engine_frame(payload: bytes) -> bytes:
    """As `engine_frame`, compressed without context takeover."""
    return _deflated(_TEXT, b"4" + payload)


def _deflated(first: int, payload: bytes) -> bytes:
    if len(payload) < DEFLATE_BYTES_MIN:
        return _header(first, len(payload)) + payload
    packer = zlib.compressobj(1, zlib.DEFLATED, -WINDOW_BITS, 5)
    packed = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
    body = packed.removesuffix(_EMPTY_BLOCK)
    return _header(first | _COMPRESSED, len(body)) + body


_pack_7_bits = struct.Struct("!BB").pack
_pack_16_bits = struct.Struct("!BBH").pack
_pack_64_bits = struct.Struct("!BBQ").pack


def _header(first: int, length: int) -> bytes:
    if length < 126:  # noqa: PLR2004 - 7-bit length
        return _pack_7_bits(first, length)
    if length < 65536:  # noqa: PLR2004 - 16-bit length
        return _pack_16_bits(first, 126, length)
    return _pack_64_bits(first, 127, length)
