"""What clients may send, decoded straight into typed structures: lengths, types and unknown members are
checked while decoding, and hostile nesting fails at depth one.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bse_shared.quotes.modes import Mode


SYMBOLS_PER_COMMAND_MAX = 10_000
ERROR_TEXT_MAX = 200

Identifier = Annotated[str, Meta(min_length=1, max_length=40)]
# Integers that every encoding and every client's JSON can carry back.
CommandId = (
    Annotated[str, Meta(max_length=64)]
    | Annotated[int, Meta(ge=-(2**53), le=2**53)]
    | None
)
Symbols = Annotated[
    list[Identifier], Meta(min_length=1, max_length=SYMBOLS_PER_COMMAND_MAX)
]


FieldNames = Annotated[
    list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=64)
]
MaxHz = Annotated[float, Meta(gt=0, le=1_000_000)] | None
Sequence = Annotated[int, Meta(ge=0, le=2**53)]


class Subscribe(
    msgspec.Struct, tag="subscribe", tag_field="op", forbid_unknown_fields=True
):
    """Want these scrips: fields by mode or by name, at most `max_hz` updates a second of each, or `every` change."""

    symbols: Symbols
    mode: Mode | None = None
    fields: FieldNames | None = None
    max_hz: MaxHz = None
    every: bool = False
    id: CommandId = None


class Resume(msgspec.Struct, tag="resume", tag_field="op", forbid_unknown_fields=True):
    """Come back with what one has: `[code, epoch, sequence]` of each scrip."""

    positions: Annotated[
        list[tuple[Sequence, Sequence, Sequence]],
        Meta(min_length=1, max_length=SYMBOLS_PER_COMMAND_MAX),
    ]
    mode: Mode | None = None
    fields: FieldNames | None = None
    max_hz: MaxHz = None
    every: bool = False
    id: CommandId = None


class Rate(msgspec.Struct, tag="rate", tag_field="op", forbid_unknown_fields=True):
    """At most `max_hz` update messages a second on this connection; null for no limit."""

    max_hz: MaxHz
    id: CommandId = None


class Heartbeat(
    msgspec.Struct, tag="heartbeat", tag_field="op", forbid_unknown_fields=True
):
    """A heartbeat each `interval_ms`, as far as that is granted, and with a digest of the client's state."""

    interval_ms: Annotated[int, Meta(ge=1, le=3_600_000)] | None = None
    digest: bool = False
    id: CommandId = None


class Unsubscribe(
    msgspec.Struct, tag="unsubscribe", tag_field="op", forbid_unknown_fields=True
):
    """No longer want these scrips."""

    symbols: Symbols
    id: CommandId = None


class Ping(msgspec.Struct, tag="ping", tag_field="op", forbid_unknown_fields=True):
    """Is anybody there?"""

    id: CommandId = None


class Authenticate(
    msgspec.Struct, tag="authenticate", tag_field="op", forbid_unknown_fields=True
):
    """Prove who one is, or go on being it with a new token."""

    token: str
    id: CommandId = None


Command = Subscribe | Resume | Unsubscribe | Rate | Heartbeat | Ping | Authenticate


class BadCommand(ValueError):
    """A message that is no command. `reason` is the public code."""

    def __init__(self, reason: str, message: str, command_id: object = None):
        super().__init__(message)
        self.reason = reason
        self.command_id = command_id


# ValueError: msgspec.DecodeError, and its UnicodeDecodeError for strings of other bytes than UTF-8.
_UNDECODABLE = (ValueError, RecursionError)

_json: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_msgpack: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)


def command_from_json(data: bytes | str) -> Command:
    """The command in a JSON message. Raises BadCommand."""
    try:
        return _json.decode(data)
    except _UNDECODABLE as error:
        raise _bad(error) from error


def command_from_msgpack(data: bytes) -> Command:
    """The command in a MessagePack message. Raises BadCommand."""
    try:
        return _msgpack.decode(data)
    except _UNDECODABLE as error:
        raise _bad(error) from error


def command_from_object(op: str, data: Any) -> Command:
    """The command in a Socket.IO event's argument. Raises BadCommand."""
    if not isinstance(data, dict):
        raise BadCommand("bad_message", "expected an object")
    try:
        command: Command = msgspec.convert({**data, "op": op}, Command)
    except _UNDECODABLE as error:
        raise _bad(error) from error
    return command


def _bad(error: Exception) -> BadCommand:
    text = str(error) or type(error).__name__
    unknown = text.startswith("Invalid value") and text.endswith("`$.op`")
    return BadCommand("unknown_op" if unknown else "bad_message", text[:ERROR_TEXT_MAX])
