"""What clients may send, decoded straight into typed structures: lengths, types and unknown members are
checked while decoding, and hostile nesting fails at depth one.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bse_shared.quotes.modes import Mode


SYMBOLS_PER_COMMAND_MAX = 10_000

Identifier = Annotated[str, Meta(min_length=1, max_length=40)]
CommandId = Annotated[str, Meta(max_length=64)] | int | None
Symbols = Annotated[
    list[Identifier], Meta(min_length=1, max_length=SYMBOLS_PER_COMMAND_MAX)
]


class Subscribe(
    msgspec.Struct, tag="subscribe", tag_field="op", forbid_unknown_fields=True
):
    """Want these scrips, in this mode."""

    symbols: Symbols
    mode: Mode = Mode.QUOTE
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


Command = Subscribe | Unsubscribe | Ping


class BadCommand(ValueError):
    """A message that is no command. `reason` is the public code."""

    def __init__(self, reason: str, message: str, command_id: object = None):
        super().__init__(message)
        self.reason = reason
        self.command_id = command_id


_json: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_msgpack: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)


def command_from_json(data: bytes | str) -> Command:
    """The command in a JSON message. Raises BadCommand."""
    try:
        return _json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _bad(error) from error


def command_from_msgpack(data: bytes) -> Command:
    """The command in a MessagePack message. Raises BadCommand."""
    try:
        return _msgpack.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _bad(error) from error


def command_from_object(op: str, data: Any) -> Command:
    """The command in a Socket.IO event's argument. Raises BadCommand."""
    if not isinstance(data, dict):
        raise BadCommand("bad_message", "expected an object")
    try:
        command: Command = msgspec.convert({**data, "op": op}, Command)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _bad(error) from error
    return command


def _bad(error: Exception) -> BadCommand:
    text = str(error) or type(error).__name__
    unknown = text.startswith("Invalid value") and text.endswith("`$.op`")
    return BadCommand("unknown_op" if unknown else "bad_message", text)
