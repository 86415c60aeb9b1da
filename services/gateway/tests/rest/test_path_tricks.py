"""Addresses that no client library would send, on the real server: none reaches another route."""

import json

import pytest

from bse_shared.testing.builders import TCS, a_quote


TRICKS = {
    "dots": (b"/api/stock/../../admin/audit", "not-found"),
    "dots escaped": (b"/api/stock/%2e%2e/%2e%2e/admin/audit", "not-found"),
    "slash escaped": (b"/api/stock/..%2f..%2fadmin%2faudit", "not-found"),
    "dot": (b"/api/./stock/TCS", "not-found"),
    "two slashes": (b"/api/stock//TCS", "not-found"),
    "fragment": (b"/api/stock/XX#/admin/audit", "unknown-symbol"),
    "NUL": (b"/api/stock/TCS%00.json", "invalid-symbol"),
    "line feeds": (b"/api/stock/TCS%0d%0aX-A:%20b", "invalid-symbol"),
    "half an escape": (b"/api/stock/TCS%2", "unknown-symbol"),
    "escapes of nothing": (b"/api/stock/%zz", "unknown-symbol"),
    "encoded question mark": (b"/api/stock/TCS%3Ffields=last", "unknown-symbol"),
    "bytes": (b"/api/stock/\xff\xfe", "bad-request"),
    "star": (b"*", "not-found"),
    "no slash": (b"api/stock/TCS", "bad-request"),
}


@pytest.fixture
async def port(make_door, market, serving):
    """A gateway with a quote of TCS."""
    market.report({TCS.code: a_quote()})
    door = await make_door()
    async with serving(door) as port:
        yield port


@pytest.mark.parametrize(("address", "slug"), TRICKS.values(), ids=TRICKS)
async def test_a_trick_gets_its_problem(port, wire_to, address, slug):
    """And the connection, where it goes on, is as good as before."""
    wire = await wire_to(port)
    ((head, body),) = await wire.ask(
        b"GET " + address + b" HTTP/1.1\r\nHost: g\r\n\r\n"
    )
    assert f"/problems/{slug}" == json.loads(body)["type"], head
    assert b"\r\nX-A:" not in head


async def test_an_absolute_address_is_its_path(port, wire_to):
    """Proxies send it (RFC 9112 3.2.2); the host in it decides nothing."""
    wire = await wire_to(port)
    ((head, body),) = await wire.ask(
        b"GET http://evil.example/api/stock/TCS HTTP/1.1\r\nHost: g\r\n\r\n"
    )
    assert b" 200 OK" in head
    assert "TCS" == json.loads(body)["symbol"]
