"""The public contract."""

import json
from pathlib import Path

from bse_gateway.openapi import contract_text


FILE = Path(__file__).parents[3] / "contracts" / "openapi.json"


async def test_the_contract_file_is_what_the_code_says():
    """Stale? `python -m bse_gateway.openapi > contracts/openapi.json`, and read the difference."""
    assert await contract_text() == FILE.read_text()


def test_the_contract_describes_every_given_route():
    """The five routes, each with a summary, an answer and its problems as problem documents."""
    paths = json.loads(FILE.read_text())["paths"]
    routes = {
        "/api/stock/{symbol}": "get",
        "/api/stocks/batch": "get",
        "/api/market/status": "get",
        "/health": "get",
        "/api/subscribe": "post",
    }
    for path, method in routes.items():
        operation = paths[path][method]
        assert operation["summary"]
        assert "200" in operation["responses"]
        for status, response in operation["responses"].items():
            if status[0] in "45":
                assert ["application/problem+json"] == list(response["content"])


def test_every_reference_leads_somewhere():
    """A generator of clients can read the file."""
    text = FILE.read_text()
    known = json.loads(text)["components"]["schemas"]
    found = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert found <= set(known)
    assert "ProblemReply" in found
