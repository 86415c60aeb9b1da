"""The master as bytes."""

import contextlib
import zlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.quotes.instrument import Instrument, InstrumentMaster
from bse_shared.wire.bus import MalformedMessage
from bse_shared.wire.instruments import pack_instruments, unpack_instruments


TEXT = st.text(max_size=12)
COLUMNS = len(Instrument._fields) - 1
ROWS = st.lists(
    st.builds(Instrument, st.integers(1, 999_999), *[TEXT] * COLUMNS), max_size=8
)


@given(ROWS)
def test_the_master_comes_back(rows):
    """Every row with all its texts."""
    assert rows == unpack_instruments(pack_instruments(rows))


@given(
    st.binary(max_size=100)
    | st.binary(max_size=100).map(zlib.compress)
    | st.lists(
        st.lists(st.integers(0, 9) | TEXT | st.none(), max_size=6) | st.integers(0, 9),
        max_size=4,
    ).map(lambda rows: zlib.compress(msgpack.packb(rows)))
)
def test_any_bytes_are_a_master_or_malformed(data):
    """And what is unpacked makes a master that can be searched."""
    with contextlib.suppress(MalformedMessage):
        master = InstrumentMaster(unpack_instruments(data))
        master.find("RELIANCE")


def test_a_bomb_is_not_inflated():
    """A gigabyte of zeros stays a megabyte."""
    deflate = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    bomb = b"".join(deflate.compress(zeros) for _ in range(100)) + deflate.flush()
    with pytest.raises(MalformedMessage):
        unpack_instruments(bomb)


def test_a_newer_writer_may_add_columns():
    """Trailing columns are passed over."""
    row = Instrument(1, *["A"] * COLUMNS)
    data = zlib.compress(msgpack.packb([[*row, 4.5, "new"]]))

    assert [row] == unpack_instruments(data)
