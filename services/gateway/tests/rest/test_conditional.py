"""Entity tags."""

import pytest

from bse_gateway.rest.conditional import digest_tag, is_held, quote_tag


TAG = quote_tag("5-12", "live", 1, "json")


@pytest.mark.parametrize(
    "other",
    [
        quote_tag("5-12", "stale", 1, "json"),
        quote_tag("5-13", "live", 1, "json"),
        quote_tag("6-12", "live", 1, "json"),
        quote_tag("5-12", "live", 2, "json"),
        quote_tag("5-12", "live", 1, "msgpack"),
    ],
)
def test_whatever_a_person_would_see_changes_the_tag(other):
    """Position, quality, names and shape each make another tag."""
    assert TAG != other


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
    assert digest_tag(["a", "b"], []) != digest_tag(["a"], ["b"])
    assert (
        len({digest_tag(*p) for p in [(["a"], ["b"]), (["a", "b"], []), ([], [])]}) == 3
    )
