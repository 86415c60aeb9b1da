"""What a caller can read."""

import pytest

from bse_gateway.rest.negotiation import JSON, MSGPACK, media_type, takes_gzip


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/html", JSON),
        ("application/msgpack", MSGPACK),
        ("Application/MsgPack", MSGPACK),
        ("application/x-msgpack", MSGPACK),
        ("application/msgpack, */*;q=0.5", MSGPACK),
        ("application/json, application/msgpack", MSGPACK),
        ("application/json, application/msgpack;q=0.9", JSON),
        ("application/json;q=0.2, application/msgpack;q=0.9", MSGPACK),
        ("application/msgpack;q=0", JSON),
        ("application/msgpack;q=much", JSON),
        ("application/msgpackage", JSON),
        (";;q=,,;", JSON),
    ],
)
def test_messagepack_is_for_who_asks_for_it(accept, expected):
    """JSON is for everybody else, and for who prefers it."""
    assert expected == media_type(accept)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("*", False),
    ],
)
def test_gzip_has_to_be_named(header, expected):
    """What a caller does not name it may not unpack."""
    assert expected is takes_gzip(header)
