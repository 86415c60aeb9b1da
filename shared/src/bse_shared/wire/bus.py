"""Frames and images as bytes: what the fetcher writes and every reader of the store or the bus decodes.

MessagePack arrays that begin with a version. A reader takes its own version only, and passes over trailing
elements and field numbers that it does not know, so that a newer writer may add to the end.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgpack
import msgspec

from bse_shared.quotes.delta import Delta, apply
from bse_shared.quotes.frame import (
    Change,
    Confirmation,
    Confirmed,
    Frame,
    Image,
)
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote import EMPTY, FIELDS, Kind


VERSION = 1
FRAME_BYTES_MAX = 8 * 1024 * 1024

_FIELD_COUNT = len(FIELDS)
_LEVELS = {field.number for field in FIELDS if field.kind is Kind.LEVELS}
_pack_old: Callable[[object], bytes] = msgpack.Packer(
    autoreset=True, use_bin_type=False
).pack
# Writes the same bytes as msgpack, in a third of the time.
_pack: Callable[[object], bytes] = msgspec.msgpack.Encoder().encode


# TypeError: a map whose key is itself a map.
_UNREADABLE = (ValueError, TypeError, RecursionError, msgpack.UnpackException)


class MalformedMessage(ValueError):
    """Bytes from the store or the bus that are not what this version writes."""


class _ConfirmationMessage(msgspec.Struct, array_like=True):
    at_ms: int
    whole: bool
    codes: tuple[int, ...]


class _PlainChange(Change):
    """A change of fields that this version knows, and of numbers only."""

    __slots__ = ()
    delta: dict[Annotated[int, msgspec.Meta(ge=0, lt=_FIELD_COUNT)], int | None]  # type: ignore[assignment]


class _AnyChange(Change):
    __slots__ = ()
    delta: dict[Any, Any]


SomeChange = TypeVar("SomeChange", bound=Change)


class _FrameMessage(msgspec.Struct, Generic[SomeChange], array_like=True):
    version: int
    shard: int
    epoch: int
    sequence: int
    received_at_ms: int
    confirmation: _ConfirmationMessage
    changes: tuple[SomeChange, ...]
    published_at_ms: int = 0


_decode_plain = msgspec.msgpack.Decoder(_FrameMessage[_PlainChange]).decode
_decode_any = msgspec.msgpack.Decoder(_FrameMessage[_AnyChange]).decode


def pack_image(code: int, image: Image) -> bytes:
    """`[version, code, epoch, sequence, changed_at_ms, [field values by number]]`."""
    position, changed_at_ms, quote = image
    return _pack(
        (VERSION, code, position.epoch, position.sequence, changed_at_ms, quote)
    )


def unpack_image(data: bytes) -> tuple[int, Image]:
    """The scrip code and its image. Raises MalformedMessage."""
    message = _unpack(data)
    try:
        _, *numbers, values = message[:6]
        code, epoch, sequence, changed_at_ms = map(_whole, numbers)
        quote = apply(EMPTY, _known(dict(enumerate(values[:_FIELD_COUNT]))))
        return code, Image(Position(epoch, sequence), changed_at_ms, quote)
    except (TypeError, ValueError) as error:
        raise MalformedMessage(f"not an image: {error}") from error


def pack_frame(frame: Frame, published_at_ms: int = 0) -> bytes:
    """`[version, shard, epoch, sequence, received_at_ms, [confirmed at, whole, codes], [change…], published_at_ms]`.

    A change: `[code, [previous epoch, previous sequence], delta]`.
    """
    epoch, sequence = frame.position
    return _pack(
        (
            VERSION,
            frame.shard,
            epoch,
            sequence,
            frame.received_at_ms,
            frame.confirmation,
            frame.changes,
            published_at_ms or frame.published_at_ms,
        )
    )


def unpack_frame(data: bytes) -> Frame:
    """The frame. Raises MalformedMessage."""
    if len(data) > FRAME_BYTES_MAX:
        raise MalformedMessage(f"{len(data)} bytes, at most {FRAME_BYTES_MAX}")
    try:
        message, changes = _decoded(data)
    except _UNREADABLE as error:
        raise MalformedMessage(f"not a frame: {error}") from error
    if message.version != VERSION:
        raise MalformedMessage("not a message of this version")
    confirmed = message.confirmation
    return Frame(
        message.shard,
        Position(message.epoch, message.sequence),
        message.received_at_ms,
        Confirmation(confirmed.at_ms, confirmed.whole, confirmed.codes),
        changes,
        message.published_at_ms,
    )


def _decoded(data: bytes) -> tuple["_FrameMessage[Any]", tuple[Change, ...]]:
    """Nearly all frames change plain numbers only: those are decoded and checked in one go."""
    try:
        plain = _decode_plain(data)
        if all(_LEVELS.isdisjoint(change.delta) for change in plain.changes):
            return plain, plain.changes
    except msgspec.ValidationError:
        pass  # levels, a newer writer's fields, or nonsense
    found = _decode_any(data)
    return found, tuple(
        Change(code, previous, _known(delta)) for code, previous, delta in found.changes
    )


def pack_confirmed(confirmed: Confirmed) -> bytes:
    """`[version, all_at_ms, {code: at_ms}]`."""
    return _pack((VERSION, confirmed.all_at_ms, confirmed.apart))


def unpack_confirmed(data: bytes) -> Confirmed:
    """The confirmation times of a shard. Raises MalformedMessage."""
    try:
        _, all_at_ms, apart = _unpack(data)[:3]
        times = {_whole(code): _whole(at_ms) for code, at_ms in apart.items()}
        return Confirmed(_whole(all_at_ms), times)
    except (TypeError, ValueError, AttributeError) as error:
        raise MalformedMessage(f"not confirmation times: {error}") from error


def pack_list(items: Sequence[str | bytes]) -> bytes:
    """A plain list, for the store's scripts (whose MessagePack is older than the bin type)."""
    return _pack_old(items)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"{type(value).__name__} where an integer belongs")
    return value


def _known(values: Mapping[Any, Any]) -> Delta:
    """The fields that this version knows, if each is what its kind says: readers need not look again."""
    known: Delta = {}
    for number, value in values.items():
        if _whole(number) < 0:
            raise ValueError("no field has a negative number")
        if number >= _FIELD_COUNT:
            continue
        if value is not None and number in _LEVELS:
            value = tuple((_whole(paise), _whole(count)) for paise, count in value)  # noqa: PLW2901
        elif type(value) is not int and value is not None:
            raise TypeError(f"{type(value).__name__} in field {number}")
        known[number] = value
    return known


def _unpack(data: bytes) -> tuple[Any, ...]:
    if len(data) > FRAME_BYTES_MAX:
        raise MalformedMessage(f"{len(data)} bytes, at most {FRAME_BYTES_MAX}")
    try:
        message = msgpack.unpackb(data, use_list=False, strict_map_key=False)
    except _UNREADABLE as error:
        raise MalformedMessage(f"not MessagePack: {error}") from error
    if not isinstance(message, tuple) or not message or message[0] != VERSION:
        raise MalformedMessage("not a message of this version")
    return message
