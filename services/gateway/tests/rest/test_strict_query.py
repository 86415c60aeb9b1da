"""Parameters that a route does not know."""

from typing import Annotated

import pytest
from fastapi import Depends
from fastapi.routing import APIRoute

from bse_gateway.rest.strict_query import is_strict, parameters_of


QUERIES = {
    "misspelt": "/api/stock/TCS?field=last",
    "other case": "/api/stocks/batch?Symbols=TCS",
    "not here": "/api/market/status?symbol=TCS",
    "cache buster": "/api/indices?_=1795334400000",
    "escaped": "/api/stock/TCS?%6Dode=ltp&%66ield=last",
    "no value": "/api/search?q=t&x",
}


@pytest.mark.parametrize("path", QUERIES.values(), ids=QUERIES)
async def test_an_unknown_parameter_is_a_problem(client, path):
    """Who misspelt one must not believe that it worked."""
    answer = await client.get(path)
    assert (422, "/problems/unknown-parameter") == (
        answer.status_code,
        answer.json()["type"],
    )
    assert 1 == len(answer.json()["parameters"])


async def test_what_is_told_back_is_bounded(client):
    """However many, however long."""
    query = "&".join(f"{number:03d}{'x' * 100}=1" for number in range(50))
    answer = await client.get(f"/api/market/status?{query}")
    told = answer.json()["parameters"]
    assert (20, 64) == (len(told), len(told[0]))


@pytest.mark.parametrize(
    "path",
    [
        "/api/stock/TCS?mode=ltp&mode=full",
        "/api/stocks/batch?symbols=TCS&symbols=XX",
        "/api/market/movers?limit=1&by=volume&limit=1",
    ],
)
async def test_a_parameter_that_comes_twice_is_a_problem(client, path):
    """Which one counts would be a guess."""
    answer = await client.get(path)
    assert (422, "/problems/repeated-parameter") == (
        answer.status_code,
        answer.json()["type"],
    )


async def test_charts_may_send_what_their_protocol_has(client):
    """Libraries send a currency with each request for bars."""
    answer = await client.get("/udf/symbols?symbol=TCS&currencyCode=INR")
    assert 200 == answer.status_code


async def test_empty_pieces_are_nothing(client):
    """A question mark alone asks nothing."""
    for query in ("?", "?&", "?limit=1&"):
        answer = await client.get(f"/api/market/movers{query}")
        assert 200 == answer.status_code


async def test_who_may_not_come_in_learns_nothing(make_door, client_of):
    """The guard stands first."""
    door = await make_door(mode="required")
    async with client_of(door.app) as client:
        assert 401 == (await client.get("/api/stock/TCS?x=1")).status_code


def test_a_parameter_of_what_a_route_depends_on_is_one_of_its_own():
    """FastAPI takes it from the same query."""

    def paged(page: int = 0) -> int:
        return page

    async def listed(page: Annotated[int, Depends(paged)], size: int = 1) -> int:
        return page * size

    route = APIRoute("/listed", listed)
    assert {"page", "size"} == parameters_of(route)


def test_the_contract_tells_every_parameter_that_is_taken(make_app):
    """And none that is refused."""
    app = make_app()
    paths = app.openapi()["paths"]
    strict = [
        route
        for route in app.routes
        if isinstance(route, APIRoute) and is_strict(route.path)
    ]
    assert len(strict) > 20
    for route in strict:
        for method in route.methods:
            told = paths[route.path][method.lower()].get("parameters", [])
            assert parameters_of(route) == {
                each["name"] for each in told if each["in"] == "query"
            }
