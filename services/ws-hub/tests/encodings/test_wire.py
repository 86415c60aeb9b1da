"""Frames as other implementations read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from bse_ws_hub.encodings import wire


def parsed(data, *, compressed=False):
    """(opcode, payload), read by the websockets library."""
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    extensions = [PerMessageDeflate(True, True, 15, 15)] if compressed else []
    parsing = Frame.parse(reader.read_exact, mask=False, extensions=extensions)
    try:
        while True:
            next(parsing)
    except StopIteration as done:
        return done.value.opcode, bytes(done.value.data)


LENGTHS = st.integers(0, 300) | st.sampled_from([125, 126, 65_535, 65_536, 70_000])


@given(LENGTHS, st.integers(0, 255))
def test_a_frame_of_any_length_is_its_payload(length, byte):
    """At the borders of the three length forms too."""
    payload = bytes([byte]) * length

    assert (Opcode.BINARY, payload) == parsed(wire.binary_frame(payload))
    assert (Opcode.TEXT, b"4" + payload) == parsed(wire.engine_frame(payload))


@given(st.binary(max_size=2000) | st.text().map(str.encode), st.integers(1, 40))
def test_a_compressed_frame_inflates_by_itself(piece, times):
    """Each frame without what came before it: no context is taken over."""
    payload = piece * times
    for _ in range(2):
        frame = wire.deflated_binary_frame(payload)
        assert (Opcode.BINARY, payload) == parsed(frame, compressed=True)
        assert (Opcode.TEXT, b"4" + payload) == parsed(
            wire.deflated_engine_frame(payload), compressed=True
        )


@pytest.mark.parametrize("length", [0, 1, wire.DEFLATE_BYTES_MIN - 1])
def test_small_frames_are_not_compressed(length):
    """They would grow."""
    payload = b"a" * length

    assert wire.text_frame(payload) == wire.deflated_text_frame(payload)
