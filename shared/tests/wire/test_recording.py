"""Recordings: what was written is read, and damage is an error or an end."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.wire.bus import MalformedMessage
from bse_shared.wire.recording import MAGIC, Entry, entries_of, pack_chunk


ENTRIES = st.lists(st.builds(Entry, st.integers(0, 9), st.binary(max_size=20)))


def recording(*chunks):
    """A file with these chunks."""
    return MAGIC + b"".join(pack_chunk(chunk) for chunk in chunks)


@given(st.lists(ENTRIES, max_size=4))
def test_what_was_written_is_read(chunks):
    """In order, over all chunks."""
    written = [entry for chunk in chunks for entry in chunk]

    assert written == list(entries_of(io.BytesIO(recording(*chunks))))


@given(st.lists(ENTRIES, min_size=1, max_size=3), st.data())
def test_a_file_that_was_cut_is_good_up_to_the_chunk_before(chunks, data):
    """Its writer may die at any byte."""
    whole = recording(*chunks)
    cut = data.draw(st.integers(len(MAGIC), len(whole)))
    written = [entry for chunk in chunks for entry in chunk]
    read = list(entries_of(io.BytesIO(whole[:cut])))

    assert written[: len(read)] == read
    assert cut < len(whole) or written == read


@given(ENTRIES, st.data())
def test_damage_is_an_error_or_an_end(entries, data):
    """Never another exception."""
    whole = recording(entries)
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + data.draw(st.binary(max_size=3)) + whole[place + 1 :]
    with suppress(MalformedMessage):
        list(entries_of(io.BytesIO(damaged)))


@pytest.mark.parametrize("said", [b"", b"bse-recording 2\n", b"\x1f\x8b"])
def test_another_file_is_refused(said):
    """By its first line."""
    with pytest.raises(MalformedMessage):
        list(entries_of(io.BytesIO(said)))
