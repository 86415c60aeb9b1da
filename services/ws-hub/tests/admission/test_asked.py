"""What a connection says of itself, and what it may not."""

import pytest

from bse_ws_hub.admission.asked import Asked, asked_in_auth, asked_in_request
from bse_ws_hub.admission.refused import Refused


BEARER = (b"authorization", b"Bearer t.t.t")


def why(call, *arguments):
    """Why it was refused."""
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.why.reason, caught.value.detail


@pytest.mark.parametrize(
    ("headers", "query", "asked"),
    [
        ([], b"", Asked()),
        ([BEARER], b"", Asked(token="t.t.t")),
        ([(b"Authorization", b"bEaReR  t ")], b"", Asked(token="t")),
        ([], b"ticket=abc&client_id=c-1", Asked(ticket="abc", client_id="c-1")),
        ([BEARER], b"session=my%20desk", Asked(token="t.t.t", session_name="my desk")),
        ([], b"client_id=" + b"x" * 200, Asked(client_id="x" * 128)),
    ],
)
def test_what_a_handshake_says(headers, query, asked):
    """Header, ticket, client id, session name."""
    assert asked == asked_in_request(headers, query)


@pytest.mark.parametrize(
    ("headers", "query", "detail"),
    [
        ([BEARER, BEARER], b"", "ambiguous"),
        ([BEARER], b"ticket=a", "ambiguous"),
        ([], b"ticket=a&ticket=b", "ambiguous"),
        ([(b"authorization", b"Basic dTpw")], b"", "scheme"),
        ([(b"authorization", b"Bearer ")], b"", "malformed"),
        ([], b"ticket=", "malformed"),
        ([(b"authorization", b"Bearer " + b"x" * 5000)], b"", "too_long"),
        ([], b"ticket=" + b"x" * 5000, "too_long"),
        ([(b"authorization", b"Bearer bsq_live_a_b_c")], b"", "api_key"),
        ([(b"x-api-key", b"bsq_live_a_b_c")], b"", "api_key"),
        ([], b"token=t.t.t", "in_address"),
        ([], b"access_token=t.t.t", "in_address"),
        ([BEARER], b"token=", "in_address"),
    ],
)
def test_what_proves_nothing_however_it_is_shown(headers, query, detail):
    """Each with its word."""
    assert ("token_refused", detail) == why(asked_in_request, headers, query)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        (b"session=", "session"),
        (b"session=" + b"x" * 65, "session"),
        (b"a=1&" * 40, "query"),
    ],
)
def test_addresses_that_are_not_as_they_should_be(query, detail):
    """No credential is judged."""
    assert ("bad_message", detail) == why(asked_in_request, [], query)


@pytest.mark.parametrize(
    ("auth", "asked"),
    [
        (None, Asked()),
        ("text", Asked()),
        ([1], Asked()),
        ({}, Asked()),
        ({"token": "t", "client_id": 5}, Asked(token="t")),
        (
            {"ticket": "k", "client_id": "c", "session": "s", "more": {}},
            Asked(ticket="k", client_id="c", session_name="s"),
        ),
        ({"token": None, "ticket": None, "session": None}, Asked()),
    ],
)
def test_what_a_socketio_client_says(auth, asked):
    """In its `auth` object."""
    assert asked == asked_in_auth(auth)


@pytest.mark.parametrize(
    ("auth", "refused"),
    [
        ({"token": 5}, ("token_refused", "malformed")),
        ({"token": ""}, ("token_refused", "malformed")),
        ({"ticket": ["a"]}, ("token_refused", "malformed")),
        ({"token": "a", "ticket": "b"}, ("token_refused", "ambiguous")),
        ({"token": "x" * 5000}, ("token_refused", "too_long")),
        ({"token": "bsq_live_x"}, ("token_refused", "api_key")),
        ({"session": 5}, ("bad_message", "session")),
        ({"session": "x" * 65}, ("bad_message", "session")),
    ],
)
def test_what_a_socketio_client_may_not_say(auth, refused):
    """The same rules as at the other doors."""
    assert refused == why(asked_in_auth, auth)
