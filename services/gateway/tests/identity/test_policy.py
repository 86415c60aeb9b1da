"""Roles by routes: the whole table, at the real application."""

import json
from pathlib import Path

import pytest

from bse_gateway.identity.policy import POLICY
from bse_shared.access.roles import ANONYMOUS_ROLE, GRANTABLE, ROLES
from bse_shared.testing.builders import TCS, a_quote


CONTRACT = Path(__file__).parents[4] / "contracts" / "openapi.json"
PROBES = {"/livez", "/readyz", "/health", "/metrics"}
GOOD_STATUS = {200, 201, 204}
BODIES = {
    "/api/subscribe": {"symbols": ["TCS"]},
    "/api/auth/refresh": {"refresh_token": "x"},
    "/api/auth/revoke": {"token": "x"},
    "/admin/feed/orders": {"action": "resume"},
    "/admin/hubs/orders": {"action": "drain", "instance": "*"},
    "/admin/api-keys": {"name": "n", "role": "viewer"},
    "/admin/api-keys/{key_id}/rotate": {},
}


def test_the_policy_lists_every_route_and_no_other():
    """Nothing is open because somebody forgot it."""
    paths = json.loads(CONTRACT.read_text())["paths"]
    known = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations
        if path not in PROBES
    }
    heads = {("HEAD", path) for method, path in POLICY if method == "GET"}
    assert known == set(POLICY) | heads


def test_the_contract_says_which_scope_a_route_wants():
    """And how it refuses."""
    paths = json.loads(CONTRACT.read_text())["paths"]
    for (method, path), wanted in POLICY.items():
        operation = paths[path][method.lower()]
        assert (wanted.scope is None) == ("security" not in operation)
        assert operation.get("x-scope") == wanted.scope
        assert "429" in operation["responses"]
        if wanted.scope is not None:
            assert {"401", "403"} <= set(operation["responses"])
        if wanted.is_admin:
            assert {} not in operation["security"]


ASKED = {"symbols": "TCS", "symbol": "TCS", "q": "tcs", "resolution": "1D", "to": "9"}
"""What one route or another wants."""


def wanted_by(method, path):
    """Of it, what this route must have."""
    operation = json.loads(CONTRACT.read_text())["paths"][path][method.lower()]
    told = operation.get("parameters", [])
    needed = {e["name"] for e in told if e["required"] and e["in"] == "query"}
    return {name: ASKED[name] for name in needed}


@pytest.mark.parametrize("mode", ["optional", "required"])
@pytest.mark.parametrize("role", [ANONYMOUS_ROLE, *GRANTABLE])
async def test_each_role_may_what_the_table_says_and_nothing_else(
    make_door, market, client_of, role, mode
):
    """By token, on each route, with and without the mode that lets nobody in particular in."""
    market.report({TCS.code: a_quote()})
    door = await make_door(mode=mode)
    is_anonymous = role == ANONYMOUS_ROLE
    async with client_of(door.app) as client:
        headers = {} if is_anonymous else await token_of(door, client, role)
        for (method, path), wanted in POLICY.items():
            if wanted.scope is None:
                continue
            answer = await client.request(
                method,
                path.format(symbol="TCS", key_id="abcd1234", name="SENSEX"),
                params=wanted_by(method, path) if method == "GET" else None,
                json=BODIES.get(path),
                headers=headers,
            )
            lets_nobody = mode == "required" or wanted.is_admin
            if is_anonymous and lets_nobody:
                expected = {401}
            elif wanted.scope in ROLES[role].scopes:
                expected = GOOD_STATUS | {404}  # there is no such key to change
            else:
                expected = {403}
            assert answer.status_code in expected, (role, method, path, answer.text)


async def token_of(door, client, role):
    """A token of the role, as a header."""
    answer = await client.post(
        "/api/auth/token", headers={"x-api-key": await door.key(role)}
    )
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_token_may_carry_less_than_its_role(make_door, market, client_of):
    """What was not asked for is not there."""
    market.report({TCS.code: a_quote()})
    door = await make_door()
    async with client_of(door.app) as client:
        answer = await client.post(
            "/api/auth/token",
            json={"api_key": await door.key("admin"), "scope": "quotes:read made:up"},
        )
        assert "quotes:read" == answer.json()["scope"]
        headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        fine = await client.get("/api/stock/TCS", headers=headers)
        refused = await client.get("/admin/api-keys", headers=headers)
    assert (200, 403) == (fine.status_code, refused.status_code)
    assert "keys:admin" == refused.json()["scope"]
    assert (
        'error="insufficient_scope", scope="keys:admin"'
        in (refused.headers["www-authenticate"])
    )


async def test_off_opens_quotes_and_not_administration(make_door, market, client_of):
    """For a gateway behind somebody else's door."""
    market.report({TCS.code: a_quote()})
    door = await make_door(mode="off")
    async with client_of(door.app) as client:
        any_ = await client.get("/api/stock/TCS", headers={"authorization": "Basic x"})
        admin = await client.get("/admin/api-keys")
    assert (200, 401) == (any_.status_code, admin.status_code)
    assert "ratelimit-limit" not in any_.headers
