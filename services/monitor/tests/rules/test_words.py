"""How reasons are worded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_monitor.rules.words import clip, clip_all, listed, span


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0.0 s"),
        (1234, "1.2 s"),
        (-1234, "1.2 s"),
        (300_000, "5 min"),
        (9e7, "25 h"),
    ],
)
def test_a_span_is_said_in_the_unit_that_people_would_use(milliseconds, words):
    """Seconds with a tenth, then minutes, then hours; the sign is for the sentence around."""
    assert words == span(milliseconds)


@given(st.text(), st.integers(1, 50))
def test_foreign_words_are_one_bounded_line(text, characters_max):
    """Whatever an instance says, it stays on its line and within its length."""
    line = clip(text, characters_max)

    assert len(line) <= characters_max
    assert line.isprintable()
    assert [line] == (line.splitlines() or [""])


@given(st.lists(st.text()))
def test_foreign_reasons_are_few_and_not_empty(texts):
    """A flood of reasons is cut, blank ones are dropped."""
    reasons = clip_all(texts)

    assert len(reasons) <= 10
    assert all(reasons)


def test_long_words_end_with_an_ellipsis():
    """A reader sees that something was cut."""
    assert "abcd…" == clip("abcdefgh", 5)


def test_shards_are_listed_as_a_sentence_would():
    """One, or many with an `and`."""
    assert "shard 2" == listed([2])
    assert "shards 2, 5 and 7" == listed([2, 5, 7])
