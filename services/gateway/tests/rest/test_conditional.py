"""Entity tags."""

import pytest

from bse_gateway.lookup import QuoteView
from bse_gateway.rest.conditional import batch_tag, is_held, quote_tag
from bse_shared.quotes.quality import Quality
from bse_shared.testing.builders import RELIANCE, an_image


VIEW = QuoteView(RELIANCE, an_image(), Quality.LIVE, 1, 1)
TAG = quote_tag(VIEW, 1, "json")


@pytest.mark.parametrize(
    "other",
    [
        quote_tag(VIEW._replace(quality=Quality.STALE), 1, "json"),
        quote_tag(VIEW._replace(image=an_image(sequence=13)), 1, "json"),
        quote_tag(VIEW._replace(image=an_image(epoch=5)), 1, "json"),
        quote_tag(VIEW, 2, "json"),
        quote_tag(VIEW, 1, "msgpack"),
    ],
)
def test_whatever_a_person_would_see_changes_the_tag(other):
    """Position, quality, names and encoding each make another tag."""
    assert TAG != other


def test_growing_older_within_a_quality_keeps_the_tag():
    """Else no caller would ever be spared a body."""
    assert TAG == quote_tag(VIEW._replace(age_ms=900, confirmed_at_ms=9), 1, "json")


@pytest.mark.parametrize(
    ("header", "held"),
    [
        (None, False),
        ("*", True),
        (TAG, True),
        (TAG.removeprefix("W/"), True),
        (f'"x", {TAG}', True),
        ('W/"x"', False),
        ("", False),
        (TAG[:-1], False),
    ],
)
def test_if_none_match_is_compared_weakly(header, held):
    """As RFC 9110 13.1.2 wants it."""
    assert held is is_held(header, TAG)


def test_a_batch_tag_tells_quotes_from_errors():
    """The same text in another place is another answer."""
    assert batch_tag(["a"], ["b"]) == batch_tag(["a"], ["b"])
    assert (
        len({batch_tag(*p) for p in [(["a"], ["b"]), (["a", "b"], []), ([], [])]}) == 3
    )
