"""Recordings: what was written is read, and damage is an error or an end."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_shared.wire.bus import MalformedMessage
from bse_shared.wire.recording import MAGIC, Entry, entries_of, pack_chunk, whole_bytes


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


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "an empty file"),
        (b"bse-recording 2\n", "of version 2"),
        (b"bse-recording \xff\n", "of version"),
        (b"bse-rec", "no recording"),
        (b"\x1f\x8b", "no recording"),
    ],
)
def test_another_file_is_refused(said, why):
    """By its first line, with the reason."""
    with pytest.raises(MalformedMessage, match=why):
        list(entries_of(io.BytesIO(said)))


@pytest.mark.parametrize(
    ("chunk", "why"),
    [
        (b"\xff\xff\xff\xff", "4294967295 bytes"),
        (b"\0\0\0\3abc", "damaged chunk"),
        (b"\0\0\0\0", "damaged chunk"),
    ],
)
def test_damage_is_told(chunk, why):
    """What was read before it is good."""
    file = io.BytesIO(recording([Entry(1, b"a")]) + chunk)
    entries = entries_of(file)

    assert Entry(1, b"a") == next(entries)
    with pytest.raises(MalformedMessage, match=why):
        next(entries)


@given(st.lists(ENTRIES, max_size=3), st.data(), ENTRIES)
def test_a_writer_goes_on_behind_the_last_whole_chunk(chunks, data, more):
    """Wherever the one before it died."""
    whole = recording(*chunks)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    end = whole_bytes(io.BytesIO(cut))
    begun = cut[:end] or MAGIC
    read = list(entries_of(io.BytesIO(cut))) if len(cut) >= len(MAGIC) else []

    assert end <= len(cut) < end + len(whole)
    assert [*read, *more] == list(entries_of(io.BytesIO(begun + pack_chunk(more))))


def test_a_whole_file_is_whole():
    """Its last chunk is not written over."""
    whole = recording([Entry(1, b"a")], [Entry(2, b"b")])

    assert len(whole) == whole_bytes(io.BytesIO(whole))
    assert len(recording([Entry(1, b"a")])) == whole_bytes(io.BytesIO(whole[:-1]))
    assert [0, 0] == [whole_bytes(io.BytesIO(cut)) for cut in (b"", MAGIC[:-1])]


@pytest.mark.parametrize("said", [b"bse-recording 2\n", b"a letter to a friend"])
def test_nobody_goes_on_in_a_file_of_another_kind(said):
    """It would be lost."""
    with pytest.raises(MalformedMessage):
        whole_bytes(io.BytesIO(said))
