"""Bytes of the bus and the store: what is written is read, and nothing else gets through."""

import contextlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.quotes.frame import (
    Change,
    Confirmation,
    Confirmed,
    Frame,
    Image,
    ShardHead,
    Snapshot,
)
from bse_shared.quotes.position import Position
from bse_shared.quotes.quote import FIELDS
from bse_shared.quotes.quote_table import QuoteTable
from bse_shared.testing.builders import a_quote
from bse_shared.testing.strategies import DELTAS, QUOTES
from bse_shared.wire.bus import (
    FRAME_BYTES_MAX,
    MalformedMessage,
    pack_confirmed,
    pack_frame,
    pack_image,
    pack_list,
    unpack_confirmed,
    unpack_frame,
    unpack_image,
)


NUMBERS = st.integers(1, 2**53)
CODES = st.integers(1, 999_999)
POSITIONS = st.builds(Position, NUMBERS, NUMBERS)
FRAMES = st.builds(
    Frame,
    st.integers(0, 255),
    POSITIONS,
    NUMBERS,
    st.builds(Confirmation, NUMBERS, st.booleans(), st.lists(CODES).map(tuple)),
    st.lists(st.builds(Change, CODES, POSITIONS | st.just(Position(0, 0)), DELTAS)).map(
        tuple
    ),
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.integers(-3, 30) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=30,
)
ALMOST = st.lists(ANYTHING, max_size=9).map(lambda rest: msgpack.packb([1, *rest]))
UNPACKERS = [unpack_frame, unpack_image, unpack_confirmed]


@given(FRAMES)
def test_a_frame_comes_back(frame):
    """Every change with its previous position, in this epoch and in older ones."""
    assert frame == unpack_frame(pack_frame(frame))


@given(CODES, st.builds(Image, POSITIONS, NUMBERS, QUOTES))
def test_an_image_comes_back(code, image):
    """The whole quote and its position."""
    assert (code, image) == unpack_image(pack_image(code, image))


@given(st.builds(Confirmed, NUMBERS, st.dictionaries(CODES, NUMBERS)))
def test_confirmation_times_come_back(confirmed):
    """The common one, and those apart."""
    assert confirmed == unpack_confirmed(pack_confirmed(confirmed))


@pytest.mark.parametrize("unpack", UNPACKERS)
@given(data=st.binary(max_size=200) | ALMOST)
def test_any_bytes_are_a_message_or_malformed(unpack, data):
    """One typed error, whatever the bytes are."""
    with contextlib.suppress(MalformedMessage):
        unpack(data)


@given(st.lists(FRAMES.map(pack_frame) | ALMOST, max_size=6), st.data())
def test_what_is_unpacked_can_be_followed(messages, data):
    """A table never stumbles over a frame that passed: its types are what they claim."""
    table = QuoteTable(256)
    for shard in range(256):
        table.load(Snapshot(shard, Position(1, 0), Confirmed(), {}))
    for message in messages:
        cut = data.draw(st.integers(0, len(message)))
        changed = message[:cut] + data.draw(st.binary(max_size=2)) + message[cut + 1 :]
        for each in (message, changed):
            with contextlib.suppress(MalformedMessage):
                frame = unpack_frame(each)
                if 0 <= frame.shard < 256:
                    table.receive(frame)
                    table.compare(ShardHead(frame.shard, frame.position, Confirmed()))


@pytest.mark.parametrize("unpack", UNPACKERS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgpack.packb([2, 1, 1, 1, 1, []]),
        msgpack.packb({}),
        b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
        bytes(FRAME_BYTES_MAX + 1),
    ],
    ids=["empty", "unused", "version", "map", "deep", "4 G elements", "too large"],
)
def test_hostile_bytes_are_malformed(unpack, data):
    """Without taking the memory that they promise to need."""
    with pytest.raises(MalformedMessage):
        unpack(data)


@pytest.mark.parametrize(
    "delta",
    [{-1: 5}, {0: "5"}, {0: 5.0}, {0: True}, {13: 5}, {13: [[1]]}, {0: [[1, 2]]}, 7],
)
def test_a_value_of_the_wrong_kind_is_malformed(delta):
    """A price that is no integer would break whoever writes it out."""
    data = msgpack.packb([1, 0, 5, 1, 9, [9, True, []], [[500325, [0, 0], delta]]])
    with pytest.raises(MalformedMessage):
        unpack_frame(data)


def test_a_newer_writer_may_add_to_the_end():
    """Trailing elements and unknown fields of any type are passed over."""
    newer = {0: 5, len(FIELDS): "new", len(FIELDS) + 1: [1.5]}
    frame = unpack_frame(
        msgpack.packb(
            [1, 0, 5, 1, 9, [9, True, [], "new"], [[500325, [0, 0], newer]], 10, "new"]
        )
    )
    image = msgpack.packb([1, 500325, 5, 1, 9, [*a_quote(), "new"], "new"])

    assert {0: 5} == frame.changes[0].delta
    assert 10 == frame.published_at_ms
    assert a_quote() == unpack_image(image)[1].quote


@pytest.mark.parametrize("newer", [7, None, "new", [1.5], {}])
def test_a_newer_field_is_passed_over_whatever_it_is(newer):
    """Also where it looks like a field of ours."""
    change = [500325, [0, 0], {0: 5, len(FIELDS): newer}]
    frame = unpack_frame(msgpack.packb([1, 0, 5, 1, 9, [9, True, []], [change], 10]))

    assert ((500325, (0, 0), {0: 5}),) == frame.changes


def test_a_whole_frame_of_another_version_is_malformed():
    """What looks the same may mean something else."""
    with pytest.raises(MalformedMessage, match="version"):
        unpack_frame(msgpack.packb([2, 0, 5, 1, 9, [9, True, []], [], 10]))


def test_lists_for_the_store_are_of_the_old_specification():
    """The store's scripts know no bin type: bytes are written as strings."""
    assert b"\x92\xa1a\xa2\xff\xfe" == pack_list(["a", b"\xff\xfe"])
