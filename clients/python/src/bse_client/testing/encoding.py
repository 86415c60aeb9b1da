"""Messages to frames: what a hub does. For tests and golden files; the exact inverse of `wire.decode`."""

from collections.abc import Mapping
from dataclasses import asdict

import msgpack

from bse_client.answers import (
    Authenticated,
    HeartbeatGranted,
    HubError,
    Limits,
    Pong,
    RateGranted,
    Resumed,
    Subscribed,
    Subscription,
    Unsubscribed,
)
from bse_client.exact_json import exact_json
from bse_client.fields import CONDITIONS, FIELDS, QUALITIES, SOURCES, Field, Kind
from bse_client.messages import (
    Fields,
    Goodbye,
    Heartbeat,
    Image,
    Lost,
    Message,
    Notice,
    Qualities,
    Update,
    Value,
    Welcome,
)
from bse_client.quote import rupees


TYPES: dict[type, str] = {
    Welcome: "welcome",
    Subscribed: "subscribed",
    Unsubscribed: "unsubscribed",
    Resumed: "resumed",
    RateGranted: "rate",
    Authenticated: "authenticated",
    HeartbeatGranted: "heartbeat_granted",
    Notice: "notice",
    Lost: "lost",
    Heartbeat: "heartbeat",
    Pong: "pong",
    HubError: "error",
    Goodbye: "goodbye",
    Image: "image",
    Update: "update",
    Qualities: "quality",
}

_LEFT_OUT = (Subscription, Limits, Notice, Heartbeat, Welcome)
"""Types whose members without a value are not sent at all."""

_RENAMED = {"from_sequence": "from", "to_sequence": "to"}

_BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}


def to_json(message: Message, symbols: Mapping[int, str]) -> str:
    """The text frame of a message."""
    raw: dict[str, object] = {"type": TYPES[type(message)]}
    if not isinstance(message, Image | Update | Qualities):
        return exact_json(rare(message))
    raw["sent_at_ms"] = message.sent_at_ms
    if not isinstance(message, Qualities):
        raw["received_at_ms"] = message.received_at_ms
        if message.published_at_ms is not None:
            raw["published_at_ms"] = message.published_at_ms
    raw["quotes"] = [
        {"symbol": symbols.get(item["code"], str(item["code"]))} | _public(item)
        for item in map(asdict, message.quotes)
    ]
    return exact_json(raw)


def rare(message: Message) -> dict[str, object]:
    """The members of a message that is the same in both encodings."""
    found: dict[str, object] = {"type": TYPES[type(message)]}
    return found | _members(message)


def _members(value: object) -> dict[str, object]:
    found = {}
    for name in value.__dataclass_fields__:  # type: ignore[attr-defined]  # ours all are
        member = getattr(value, name)
        if member is None and isinstance(value, _LEFT_OUT):
            continue
        if name == "every" and not member:
            continue
        found[_RENAMED.get(name, name)] = _plain(member)
    return found


def _plain(value: object) -> object:
    if hasattr(value, "__dataclass_fields__"):
        return _members(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _public(item: dict[str, object]) -> dict[str, object]:
    fields = item.pop("fields", {})
    raw = {_RENAMED.get(name, name): value for name, value in item.items()}
    if isinstance(fields, dict):
        for name, value in fields.items():
            field = _BY_NAME[name]
            raw[field.public_name] = _public_value(field, value)
    return raw


def _public_value(field: Field, value: Value) -> object:
    if field.kind is Kind.PAISE and isinstance(value, int):
        return rupees(value)
    if field.kind is Kind.LEVELS and isinstance(value, tuple):
        return [[rupees(price), quantity] for price, quantity in value]
    return value


def to_msgpack(message: Message) -> bytes:
    """The binary frame of a message."""
    packed: bytes = msgpack.packb(_packable(message))
    return packed


def _known(value: int | None) -> list[int]:
    return [] if value is None else [value]


def _packable(message: Message) -> object:
    match message:
        case Image(sent, received, quotes, published):
            images = [
                [
                    item.code,
                    item.epoch,
                    item.sequence,
                    item.changed_at_ms,
                    QUALITIES.index(item.quality),
                    _numbered(item.fields),
                ]
                for item in quotes
            ]
            return [1, sent, received, images, *_known(published)]
        case Update(sent, received, updates, published):
            rows = [
                [u.code, u.from_sequence, u.to_sequence, _numbered(u.fields)]
                for u in updates
            ]
            return [2, sent, received, rows, *_known(published)]
        case Qualities(sent, qualities):
            return [
                3,
                sent,
                [[q.code, QUALITIES.index(q.quality)] for q in qualities],
            ]
    return rare(message)


def _numbered(fields: Fields) -> dict[int, object]:
    return {
        _BY_NAME[name].number: _number(_BY_NAME[name].kind, value)
        for name, value in fields.items()
    }


def _number(kind: Kind, value: Value) -> object:
    if kind is Kind.SOURCE and isinstance(value, str):
        return SOURCES.index(value)
    if kind is Kind.CONDITION and isinstance(value, str):
        return CONDITIONS.index(value)
    return value
