"""A day's frames as a file: what was published, in order, so that it can be played again. Pure.

A magic line, then chunks: four bytes of length and a compressed MessagePack list of entries `[kind, bytes]`. A file
whose writer died in the middle of a chunk is good up to the chunk before.
"""

import zlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import BinaryIO, NamedTuple

import msgspec

from bse_shared.wire.bus import MalformedMessage


_FORMAT = b"bse-recording "
MAGIC = _FORMAT + b"1\n"
CHUNK_BYTES_MAX = 64 * 1024 * 1024
_LENGTH_BYTES = 4


class EntryKind(IntEnum):
    """What an entry holds: an image (where a shard begins, or begins anew), a frame, or the instrument master."""

    IMAGE = 0
    FRAME = 1
    INSTRUMENTS = 2


class Entry(NamedTuple):
    """One thing that was recorded, as bytes of `wire/bus.py` or `wire/instruments.py`."""

    kind: int
    data: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode


def pack_chunk(entries: Sequence[Entry]) -> bytes:
    """The entries as one chunk."""
    packed = zlib.compress(_encode(entries), 6)
    return len(packed).to_bytes(_LENGTH_BYTES, "big") + packed


def entries_of(file: BinaryIO) -> Iterator[Entry]:
    """All entries of a recording, in order. Raises MalformedMessage where it is none, or is damaged."""
    _check(file.read(len(MAGIC)))
    while len(head := file.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        length = int.from_bytes(head, "big")
        if length > CHUNK_BYTES_MAX:
            raise MalformedMessage(f"a damaged chunk: {length} bytes")
        packed = file.read(length)
        if len(packed) < length:
            return  # its writer died here
        yield from _unpack(packed)


def whole_bytes(file: BinaryIO) -> int:
    """The length of the file up to its last whole chunk, where another writer can go on; 0 for an empty one.

    Raises MalformedMessage where it is no recording of this version.
    """
    end = file.seek(0, 2)
    file.seek(0)
    magic = file.read(len(MAGIC))
    if MAGIC.startswith(magic) and magic != MAGIC:
        return 0
    _check(magic)
    at = len(MAGIC)
    while len(head := file.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        after = at + _LENGTH_BYTES + int.from_bytes(head, "big")
        if after > end:
            break
        at = file.seek(after)
    return at


def _check(magic: bytes) -> None:
    if magic == MAGIC:
        return
    if not magic:
        raise MalformedMessage("an empty file: nothing was recorded")
    if magic.startswith(_FORMAT):
        version = magic.removeprefix(_FORMAT).strip().decode("ascii", "replace")
        raise MalformedMessage(f"a recording of version {version}; only 1 is known")
    raise MalformedMessage("no recording")


def _unpack(packed: bytes) -> list[Entry]:
    try:
        inflater = zlib.decompressobj()
        raw = inflater.decompress(packed, CHUNK_BYTES_MAX)
        return _decode(raw)
    except (zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise MalformedMessage(f"a damaged chunk: {error}") from error
