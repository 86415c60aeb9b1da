"""The short way, on the real server: whatever it answers, the application would have answered the same."""

import gzip
import re

import pytest

from bse_gateway.identity.act_log import Actor
from bse_shared.testing.builders import RELIANCE, TCS, a_quote


OF_THE_MOMENT = re.compile(
    rb"(x-request-id|server-timing|date|ratelimit-\w+): [^\r]*\r\n"
)


def get(path, *headers, method="GET", version="1.1"):
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/{version}", "Host: gateway", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def settled(answer):
    """The answer without what differs from one to the next; headers in any order."""
    head, body = answer
    status, *headers = OF_THE_MOMENT.sub(b"", head).split(b"\r\n")
    return status, sorted(headers), body


@pytest.fixture
def asked(monkeypatch):
    """How often each way answered: of all requests, those that reached the application."""
    seen = []

    def watch(door):
        inner = door.app.__class__.__call__

        async def watched(app, scope, receive, send):
            seen.append(scope["path"])
            await inner(app, scope, receive, send)

        monkeypatch.setattr(door.app.__class__, "__call__", watched)
        return seen

    return watch


@pytest.fixture
async def lean(make_door, market, asked, serving):
    """A door that wants credentials, a token's header for it, its port, and what reached the application."""
    market.report({RELIANCE.code: a_quote(), TCS.code: a_quote(301_000)})
    door = await make_door(mode="required")
    key = f"X-API-Key: {await door.key('service')}"
    seen = asked(door)
    async with serving(door) as port:
        yield door, key, port, seen


ALIKE = {
    "quote": "/api/stock/TCS",
    "by code": "/api/stock/532540",
    "escaped": "/api/stock/T%43S",
    "quote in a mode": "/api/stock/TCS?mode=ltp",
    "quote in full": "/api/stock/TCS?mode=full",
    "batch": "/api/stocks/batch?symbols=TCS,500325",
    "batch in a mode": "/api/stocks/batch?symbols=TCS,500325&mode=quote",
    "batch with errors": "/api/stocks/batch?symbols=TCS,INFY,XX,A%00,tcs",
    "batch escaped": "/api/stocks/batch?symbols=%54CS+,%20RELIANCE",
}
HEADERS = {
    "plain": (),
    "json": ("Accept: application/json",),
    "msgpack": ("Accept: application/msgpack",),
    "browser": ("Accept: text/html,*/*;q=0.8", "Accept-Encoding: br"),
}


async def test_a_batch_with_what_may_still_come_waits_in_the_application(lean, wire_to):
    """And is answered at once while it is known not to come."""
    _, key, port, seen = lean
    wire = await wire_to(port)
    await wire.ask(get("/api/stock/TCS", key))
    for reached in (1, 1):
        await wire.ask(get("/api/stocks/batch?symbols=TCS,INFY,XX", key))
        assert reached + 1 == len(seen)


@pytest.mark.parametrize("path", ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
async def test_both_ways_give_the_same_answer(lean, wire_to, path, headers):
    """Status, headers and body. An empty `Range` sends the second request the long way."""
    _, key, port, seen = lean
    wire = await wire_to(port)
    await wire.ask(get(path, key))  # proves the key
    seen.clear()
    (short,) = await wire.ask(get(path, key, *headers))
    assert [] == seen
    (long,) = await wire.ask(get(path, key, "Range: x", *headers))
    assert 1 == len(seen)
    assert settled(long) == settled(short)
    assert long[0].count(b"ratelimit-") == short[0].count(b"ratelimit-") == 3


LEFT = {
    "head": get("/api/stock/TCS", "{key}", method="HEAD"),
    "post": get("/api/stock/TCS", "{key}", method="POST"),
    "unknown": get("/api/stock/XX", "{key}"),
    "no quote": get("/api/stock/INFY", "{key}"),
    "no key": get("/api/stock/TCS"),
    "wrong key": get("/api/stock/TCS", "X-API-Key: nonsense"),
    "two credentials": get("/api/stock/TCS", "{key}", "Authorization: Bearer x"),
    "key twice": get("/api/stock/TCS", "{key}", "{key}"),
    "other scheme": get("/api/stock/TCS", "Authorization: Basic x"),
    "fields": get("/api/stock/TCS?fields=last", "{key}"),
    "no mode": get("/api/stock/TCS?mode=LTP", "{key}"),
    "empty query": get("/api/stock/TCS?", "{key}"),
    "empty rest": get("/api/stocks/batch?symbols=TCS&", "{key}"),
    "mode first": get("/api/stocks/batch?mode=ltp&symbols=TCS", "{key}"),
    "mode and fields": get("/api/stock/TCS?mode=ltp&fields=last", "{key}"),
    "second parameter": get("/api/stocks/batch?symbols=TCS&x=1", "{key}"),
    "no symbols": get("/api/stocks/batch?symbols=,", "{key}"),
    "deeper": get("/api/stock/TCS/x", "{key}"),
    "cross-site": get("/api/stock/TCS", "{key}", "Origin: https://a.example"),
    "length": get("/api/stock/TCS", "{key}", "Content-Length: 0"),
}


@pytest.mark.parametrize("request_", LEFT.values(), ids=LEFT)
async def test_whatever_is_unusual_is_left_to_the_application(lean, wire_to, request_):
    """It alone refuses, and it alone knows the rare cases."""
    _, key, port, seen = lean
    wire = await wire_to(port)
    await wire.ask(get("/api/stock/TCS", key))
    seen.clear()
    await wire.ask(request_.replace(b"{key}", key.encode()))
    assert 1 == len(seen)


async def test_the_caller_is_spared_what_it_holds(lean, wire_to):
    """304 without a body, on a connection that goes on."""
    _, key, port, _ = lean
    wire = await wire_to(port)
    ((head, _),) = await wire.ask(get("/api/stock/TCS", key))
    tag = re.search(rb"etag: (\S+)", head)[1].decode()
    same, other = await wire.ask(
        get("/api/stock/TCS", key, f"If-None-Match: {tag}"),
        get("/api/stock/TCS", key, 'If-None-Match: "x"'),
    )
    assert same[0].startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert other[0].startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_large_answer_is_gzipped(lean, wire_to):
    """For who takes it."""
    _, key, port, _ = lean
    wire = await wire_to(port)
    path = "/api/stocks/batch?symbols=TCS,RELIANCE"
    plain, packed = await wire.ask(
        get(path, key), get(path, key, "Accept-Encoding: gzip")
    )
    assert b"content-encoding: gzip" in packed[0]
    assert len(gzip.decompress(packed[1])) == pytest.approx(len(plain[1]), abs=40)


async def test_pipelined_requests_are_answered_in_order(lean, wire_to):
    """Short and long ways may alternate within one packet."""
    _, key, port, _ = lean
    wire = await wire_to(port)
    await wire.ask(get("/api/stock/TCS", key))
    paths = ["TCS", "XX", "RELIANCE", "TCS?fields=last", "TCS", "RELIANCE"]
    answers = await wire.ask(*(get(f"/api/stock/{path}", key) for path in paths))
    assert [b'"TCS"', b'"XX"', b'"RELIANCE"', b'"TCS"', b'"TCS"', b'"RELIANCE"'] == [
        re.search(rb'"symbol": ?("\w+")', body)[1] for _, body in answers
    ]


async def test_a_budget_is_spent_by_both_ways(make_door, market, wire_to, serving):
    """And when nothing is left, the application says so."""
    market.report({TCS.code: a_quote()})
    door = await make_door(mode="optional")
    async with serving(door) as port:
        wire = await wire_to(port)
        answers = [
            (await wire.ask(get("/api/stock/TCS", *headers)))[0]
            for headers in [(), ("Range: x",)] * 2
        ]
        left = [
            int(re.search(rb"ratelimit-remaining: (\d+)", head)[1])
            for head, _ in answers
        ]
        assert [2999, 2998, 2997, 2996] == left
        await wire.ask(*[get("/api/stock/TCS")] * 2996)
        ((head, _),) = await wire.ask(get("/api/stock/TCS"))
    assert head.startswith(b"HTTP/1.1 429 ")


async def test_a_revoked_key_is_not_answered_any_more(lean, wire_to):
    """At once, on the open connection too."""
    door, key, port, _ = lean
    wire = await wire_to(port)
    await wire.ask(get("/api/stock/TCS", key))
    ((head, _),) = await wire.ask(get("/api/stock/TCS", key))
    assert b" 200 OK" in head
    (key_id,) = await door.identity.store.api_keys()
    await door.identity.keys.revoke(key_id, Actor("test"), door.identity.tokens)
    ((head, _),) = await wire.ask(get("/api/stock/TCS", key))
    assert b" 401 " in head


async def test_before_the_market_was_read_the_application_answers(
    lean, wire_to, market
):
    """503, as everywhere."""
    _, key, port, _ = lean
    wire = await wire_to(port)
    await wire.ask(get("/api/stock/TCS", key))
    market.ready = False
    ((head, _),) = await wire.ask(get("/api/stock/TCS", key))
    assert b" 503 " in head


async def test_a_caller_behind_a_proxy_pays_by_its_own_address(
    make_door, market, wire_to, asked, serving
):
    """Who pays for nobody in particular is for the application to find out."""
    market.report({TCS.code: a_quote()})
    door = await make_door(mode="optional")
    seen = asked(door)
    async with serving(door) as port:
        wire = await wire_to(port)
        await wire.ask(get("/api/stock/TCS", "X-Forwarded-For: 203.0.113.7"))
    assert 1 == len(seen)


async def test_a_closing_client_is_told_goodbye(lean, wire_to):
    """`Connection: close` and HTTP/1.0 go the long way, which closes."""
    _, key, port, _ = lean
    wire = await wire_to(port)
    ((head, _),) = await wire.ask(get("/api/stock/TCS", key, "Connection: close"))
    assert b"connection: close" in head
