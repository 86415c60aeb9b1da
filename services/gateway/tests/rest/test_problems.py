"""Hostile and mistaken requests: each is answered by its own problem document."""

import json

import pytest

from bse_gateway.rest.problems import Kind
from bse_gateway.rest.replies.base import ProblemReply
from bse_shared.testing.builders import RELIANCE, a_quote


JSON = {"content-type": "application/json"}
MANY = ",".join(str(600_000 + n) for n in range(501))


def post(body, headers=None):
    """A subscribe request."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ("POST", "/api/subscribe", content, headers or JSON)


def get(path):
    """A request without a body."""
    return ("GET", path, b"", {})


REQUESTS = {
    "unknown path": (get("/api/stonks"), Kind.NOT_FOUND),
    "slash at the end": (get("/api/market/status/"), Kind.NOT_FOUND),
    "slash in a symbol": (get("/api/stock/A%2FB"), Kind.NOT_FOUND),
    "no symbol": (get("/api/stock/"), Kind.NOT_FOUND),
    "dots": (get("/api/stock/%2e%2e%2fhealth"), Kind.NOT_FOUND),
    "dots twice escaped": (get("/api/stock/%252e%252e"), Kind.UNKNOWN_SYMBOL),
    "overlong dots": (get("/api/stock/%c0%ae%c0%ae"), Kind.INVALID_SYMBOL),
    "backslashes": (get("/api/stock/..%5c..%5chealth"), Kind.UNKNOWN_SYMBOL),
    "path parameter": (get("/api/stock/TCSX;admin=1"), Kind.UNKNOWN_SYMBOL),
    "two slashes": (get("//api/stock/TCS"), Kind.NOT_FOUND),
    "other case": (get("/API/stock/TCS"), Kind.NOT_FOUND),
    "deep address": (get("/api" + "/a" * 5_000), Kind.NOT_FOUND),
    "wide letters": (
        get("/api/stock/%EF%BC%B4%EF%BC%A3%EF%BC%B3"),
        Kind.INVALID_SYMBOL,
    ),
    "wrong type": (get("/api/market/movers?limit=ten"), Kind.INVALID_REQUEST),
    "endless number in the query": (
        get("/api/market/movers?limit=" + "9" * 5_000),
        Kind.INVALID_REQUEST,
    ),
    "nested query": (get("/api/market/movers?by[x]=gainers"), Kind.UNKNOWN_PARAMETER),
    "parameters without end": (
        get("/api/market/movers?" + "&".join(f"p{n}" for n in range(2_000))),
        Kind.UNKNOWN_PARAMETER,
    ),
    "fields without end": (
        get("/api/stock/TCS?fields=" + ",".join(f"f{n}" for n in range(2_000))),
        Kind.UNKNOWN_FIELD,
    ),
    "wrong method": (("DELETE", "/api/stock/TCS", b"", {}), Kind.METHOD_NOT_ALLOWED),
    "get subscribe": (get("/api/subscribe"), Kind.METHOD_NOT_ALLOWED),
    "unknown symbol": (get("/api/stock/XX"), Kind.UNKNOWN_SYMBOL),
    "injection": (get("/api/stock/'%20OR%201=1--"), Kind.UNKNOWN_SYMBOL),
    "markup": (get("/api/stock/%3Cscript%3E"), Kind.UNKNOWN_SYMBOL),
    "no quote": (get("/api/stock/TCS"), Kind.NO_QUOTE),
    "NUL": (get("/api/stock/TCS%00"), Kind.INVALID_SYMBOL),
    "line feed": (get("/api/stock/TC%0aS"), Kind.INVALID_SYMBOL),
    "not UTF-8": (get("/api/stock/%ff%fe"), Kind.INVALID_SYMBOL),
    "long": (get("/api/stock/" + "A" * 5_000), Kind.INVALID_SYMBOL),
    "digits": (get("/api/stock/" + "9" * 5_000), Kind.INVALID_SYMBOL),
    "parameter missing": (get("/api/stocks/batch"), Kind.MISSING_PARAMETER),
    "parameter repeated": (
        get("/api/stocks/batch?symbols=TCS&symbols=INFY"),
        Kind.REPEATED_PARAMETER,
    ),
    "no symbols": (get("/api/stocks/batch?symbols="), Kind.NO_SYMBOLS),
    "commas": (get("/api/stocks/batch?symbols=,,%20,"), Kind.NO_SYMBOLS),
    "501 symbols": (get(f"/api/stocks/batch?symbols={MANY}"), Kind.TOO_MANY_SYMBOLS),
    "no content type": (
        post({"symbols": ["TCS"]}, {"x": "y"}),
        Kind.UNSUPPORTED_MEDIA_TYPE,
    ),
    "form": (
        post(b"symbols=TCS", {"content-type": "application/x-www-form-urlencoded"}),
        Kind.UNSUPPORTED_MEDIA_TYPE,
    ),
    "not JSON": (post(b"{symbols"), Kind.MALFORMED_JSON),
    "JSON not UTF-8": (post(b'{"symbols":["\xff"]}'), Kind.BAD_REQUEST),
    "deep JSON": (post(b"[" * 60_000), Kind.BAD_REQUEST),
    "endless number": (post(b'{"symbols":' + b"9" * 5_000 + b"}"), Kind.BAD_REQUEST),
    "empty body": (post(b""), Kind.INVALID_REQUEST),
    "list": (post([]), Kind.INVALID_REQUEST),
    "null": (post(b"null"), Kind.INVALID_REQUEST),
    "unknown member": (post({"symbols": ["TCS"], "x": 1}), Kind.INVALID_REQUEST),
    "symbols text": (post({"symbols": "TCS"}), Kind.INVALID_REQUEST),
    "symbol number": (post({"symbols": [532540]}), Kind.INVALID_REQUEST),
    "unknown mode": (post({"symbols": ["TCS"], "mode": "all"}), Kind.INVALID_REQUEST),
    "unknown action": (
        post({"symbols": ["TCS"], "action": "drop"}),
        Kind.INVALID_REQUEST,
    ),
    "client id NUL": (
        post({"symbols": ["TCS"], "client_id": "a\0b"}),
        Kind.INVALID_REQUEST,
    ),
    "client id key": (
        post({"symbols": ["TCS"], "client_id": "a:b*"}),
        Kind.INVALID_REQUEST,
    ),
    "client id line": (
        post({"symbols": ["TCS"], "client_id": "a\n"}),
        Kind.INVALID_REQUEST,
    ),
    "client id long": (
        post({"symbols": ["TCS"], "client_id": "a" * 65}),
        Kind.INVALID_REQUEST,
    ),
    "subscribe to none": (post({"symbols": []}), Kind.NO_SYMBOLS),
    "subscribe to 501": (post({"symbols": MANY.split(",")}), Kind.TOO_MANY_SYMBOLS),
    "large body": (post({"symbols": ["A" * 65_536]}), Kind.BODY_TOO_LARGE),
}


@pytest.mark.parametrize(("request_", "kind"), REQUESTS.values(), ids=REQUESTS)
async def test_each_bad_request_gets_its_own_problem(client, market, request_, kind):
    """Status, type and title come from the one table; the document is RFC 9457's; nothing is a 500."""
    market.report({RELIANCE.code: a_quote()})
    method, path, content, headers = request_
    answer = await client.request(method, path, content=content, headers=headers)
    found = ProblemReply.model_validate_json(answer.content)

    assert "application/problem+json" == answer.headers["content-type"]
    assert kind.type_uri == found.type
    assert (kind.status, kind.status) == (answer.status_code, found.status)
    assert f"/requests/{answer.headers['x-request-id']}" == found.instance
    assert len(answer.content) < 2_000


async def test_validation_says_where_but_not_what_was_sent(client):
    """Wrong values may be secrets sent to the wrong place."""
    answer = await client.post(
        "/api/subscribe", json={"symbols": [7], "password": "hunter2"}
    )
    found = answer.json()["errors"]
    assert {"body.symbols[0]", "body.password"} == {each["where"] for each in found}
    assert "hunter2" not in answer.text


async def test_limits_are_told(client):
    """A caller can learn what would have been accepted."""
    answer = await client.get(f"/api/stocks/batch?symbols={MANY}")
    assert (500, 501) == (answer.json()["limit"], answer.json()["count"])


async def test_allowed_methods_are_told(client):
    """RFC 9110 wants Allow with 405: all methods of the path, not those of the first route there."""
    answer = await client.post("/api/stock/TCS")
    both = await client.options("/admin/api-keys")
    assert ["GET", "GET, POST"] == [each.headers["allow"] for each in (answer, both)]


def test_types_are_unique():
    """A type means one thing."""
    assert len(Kind) == len({kind.slug for kind in Kind})
