"""The golden messages of contracts/wire_vectors.json are what the hub's encoders write."""

import json
from pathlib import Path

import msgpack
import msgspec
import pytest

from bse_shared.quotes.frame import Image
from bse_shared.quotes.position import Position
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import EMPTY, FIELDS, NUMBER, Condition, Source
from bse_ws_hub.encodings.json_codec import JsonCodec, SocketIoCodec
from bse_ws_hub.encodings.msgpack_codec import MsgpackCodec
from bse_ws_hub.hub.commands import command_from_json, command_from_msgpack


def vectors():
    """The file, found from here upwards."""
    for folder in Path(__file__).parents:
        found = folder / "contracts" / "wire_vectors.json"
        if found.exists():
            return json.loads(found.read_text())
    raise FileNotFoundError("contracts/wire_vectors.json")


VECTORS = vectors()
FREQUENT = {"image", "update", "quality"}
NAMED = {"source": Source, "condition": Condition}


def inside(name, value):
    """A value of a meaning as the hub holds it."""
    if value is not None and name in NAMED:
        return NAMED[name][value.upper()]
    return tuple(map(tuple, value)) if isinstance(value, list) else value


def row(codec, kind, quote, symbol):
    """One quote of a meaning, encoded; fields in the order of their numbers."""
    if kind == "quality":
        return codec.quality_chunk(quote["code"], symbol, Quality(quote["quality"]))
    fields = {name: inside(name, value) for name, value in quote["fields"].items()}
    mask = sum(1 << NUMBER[name] for name in fields)
    whole = EMPTY._replace(**fields)
    if kind == "image":
        position = Position(quote["epoch"], quote["sequence"])
        image = Image(position, quote["changed_at_ms"], whole)
        quality = Quality(quote["quality"])
        return codec.image_chunk(quote["code"], symbol, image, mask, quality)
    since, to = quote["from"], quote["to"]
    return codec.update_chunk(quote["code"], symbol, whole, mask, since, to)


def encoded(codec, vector):
    """The vector's meaning as this codec writes it."""
    meaning = vector["meaning"]
    kind = meaning["type"]
    if kind not in FREQUENT:
        return codec.message(meaning)
    symbols = [q["symbol"] for q in json.loads(vector["json"])["quotes"]]
    rows = [
        row(codec, kind, quote, symbol)
        for quote, symbol in zip(meaning["quotes"], symbols, strict=True)
    ]
    received_at_ms = meaning.get("received_at_ms", 0)
    published_at_ms = meaning.get("published_at_ms", 0)
    sent_at_ms = meaning["sent_at_ms"]
    framed = codec.framer(kind, sent_at_ms, received_at_ms, published_at_ms)
    return framed(rows, len(rows))


def exactly(text):
    """JSON with its numbers as they are written: 2890.00 is not 2890.0."""
    return json.loads(text, parse_float=str, parse_int=str)


@pytest.mark.parametrize("vector", VECTORS["messages"], ids=lambda v: v["name"])
def test_messages_are_encoded_as_the_vectors_say(vector):
    """In all three encodings, to the digit."""
    socketio = encoded(SocketIoCodec(), vector)
    expected = exactly(vector["json"])
    kind = expected.pop("type")

    assert exactly(vector["json"]) == exactly(encoded(JsonCodec(), vector))
    assert (b"2", [kind, expected]) == (socketio[:1], exactly(socketio[1:]))
    assert msgpack.unpackb(
        bytes.fromhex(vector["msgpack"]), strict_map_key=False
    ) == msgpack.unpackb(encoded(MsgpackCodec(), vector), strict_map_key=False)


def plain(value):
    """A member of a command as JSON has it."""
    return json.loads(msgspec.json.encode(value))


@pytest.mark.parametrize("vector", VECTORS["commands"], ids=lambda v: v["name"])
def test_commands_are_read_as_the_vectors_say(vector):
    """What the clients write is what the hub understands, in both encodings."""
    packed = command_from_msgpack(bytes.fromhex(vector["msgpack"]))
    meaning = vector["meaning"]

    assert packed == command_from_json(vector["json"])
    assert meaning["op"] == type(packed).__struct_config__.tag
    for name in meaning.keys() - {"op"}:
        assert meaning[name] == plain(getattr(packed, name)), name


def test_the_vectors_know_every_field():
    """A field that is added to the quote must be added to the golden messages."""
    told = {
        name
        for vector in VECTORS["messages"]
        for quote in vector["meaning"].get("quotes", ())
        for name in quote.get("fields", ())
    }

    assert {field.name for field in FIELDS} == told
