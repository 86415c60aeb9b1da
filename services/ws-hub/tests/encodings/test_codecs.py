"""Both encodings carry the same values, exactly."""

import json
from decimal import Decimal

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.quotes.frame import Image
from bse_shared.quotes.modes import MODE_MASKS, Mode
from bse_shared.quotes.position import Position
from bse_shared.quotes.quality import Quality
from bse_shared.quotes.quote import FIELDS, Condition, Kind, Source
from bse_shared.testing.builders import a_quote
from bse_shared.testing.strategies import QUOTES
from bse_ws_hub.encodings.json_codec import JsonCodec, SocketIoCodec, rupees
from bse_ws_hub.encodings.msgpack_codec import QUALITIES, MsgpackCodec


ENUMS = QUOTES.flatmap(
    lambda quote: st.builds(
        lambda source, condition: quote._replace(source=source, condition=condition),
        st.none() | st.sampled_from(Source),
        st.none() | st.sampled_from(Condition),
    )
)
MASKS = st.sampled_from(list(MODE_MASKS.values())) | st.integers(
    1, 2 ** len(FIELDS) - 1
)


@given(st.integers(-(10**14), 10**14))
def test_rupees_are_exact_with_two_decimals(paise):
    """The text is the number of paise divided by a hundred, nothing lost."""
    text = rupees(paise)

    assert Decimal(text) * 100 == paise
    assert 2 == len(text.rpartition(".")[2])


def paise_of(field, value):
    """A JSON value back in inside units."""
    if value is None:
        return None
    if field.kind is Kind.PAISE:
        return int(value * 100)
    if field.kind is Kind.LEVELS:
        return tuple((int(price * 100), int(quantity)) for price, quantity in value)
    if field.kind is Kind.SOURCE:
        return Source[value.upper()]
    if field.kind is Kind.CONDITION:
        return Condition[value.upper()]
    return int(value)


@given(ENUMS, MASKS, st.sampled_from(Quality), st.text(min_size=1, max_size=20))
def test_json_and_messagepack_say_the_same(quote, mask, quality, symbol):
    """Every field of the mask arrives with its exact value by either way; no other field does."""
    image = Image(Position(7, 3), 99, quote)
    json_row = json.loads(
        JsonCodec()
        .image_chunk(500325, symbol, image, mask, quality)
        .removesuffix(b","),
        parse_float=Decimal,
        parse_int=Decimal,
    )
    packed = msgpack.unpackb(
        MsgpackCodec().image_chunk(500325, symbol, image, mask, quality),
        strict_map_key=False,
        use_list=False,
    )
    expected = {f.number: quote[f.number] for f in FIELDS if mask >> f.number & 1}
    from_json = {
        f.number: paise_of(f, json_row[f.public_name])
        for f in FIELDS
        if f.public_name in json_row
    }

    assert expected == from_json == packed[5]
    assert symbol == json_row["symbol"]
    assert (500325, 7, 3, 99, QUALITIES[quality]) == packed[:5]
    assert (quality, 7, 3) == (
        json_row["quality"],
        json_row["epoch"],
        json_row["sequence"],
    )


@pytest.mark.parametrize("count", [1, 15, 16, 70_000])
def test_frames_of_any_length_are_valid(count):
    """The array header fits the number of rows."""
    codec = MsgpackCodec()
    rows = [codec.quality_chunk(500325, "", Quality.STALE)] * count
    framed = codec.framer("quality", 5, 4)
    kind, sent_at_ms, found = msgpack.unpackb(framed(rows, count))

    assert (3, 5, count) == (kind, sent_at_ms, len(found))


def test_socketio_frames_are_event_packets():
    """The packet is what any Socket.IO client decodes: type 2, then [event, data]."""
    codec = SocketIoCodec()
    chunk = codec.update_chunk(1, "A", a_quote(), MODE_MASKS[Mode.LTP], 2, 3)
    packet = codec.framer("update", 5, 4)([b"", chunk, b""], 1)

    assert b"2" == packet[:1]
    event, data = json.loads(packet[1:])
    assert "update" == event
    assert (5, 4, 2, 3) == (
        data["sent_at_ms"],
        data["received_at_ms"],
        data["quotes"][0]["from"],
        data["quotes"][0]["to"],
    )
