"""The contract for people."""

import re
import shlex
from html import unescape

import pytest

from bse_gateway.rest.docs_page import docs_html
from bse_shared.testing.builders import RELIANCE, a_quote


@pytest.fixture
def app(make_app):
    """The application."""
    return make_app()


@pytest.fixture
async def client(app, client_of):
    """A client of it."""
    async with client_of(app) as opened:
        yield opened


async def test_the_page_shows_every_route_and_loads_nothing(client, app):
    """No script, nothing from other hosts, and a policy that says so."""
    answer = await client.get("/docs")
    assert (200, "text/html; charset=utf-8") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert 1 == len(answer.headers.get_list("content-security-policy"))
    assert not re.search(r"<script|src=|https?://(?!localhost)", answer.text)
    for path in app.openapi()["paths"]:
        assert f"<code>{path}</code>" in answer.text


async def test_each_reader_gets_the_page_as_he_reads_it(client):
    """Compressed for one, and plain for the next."""
    answers = [
        await client.get("/docs", headers={"accept-encoding": encoding})
        for encoding in ("identity", "gzip", "identity", "gzip")
    ]
    assert [None, "gzip"] * 2 == [
        answer.headers.get("content-encoding") for answer in answers
    ]
    assert 1 == len({answer.text for answer in answers})
    assert {"Accept-Encoding"} == {answer.headers["vary"] for answer in answers}


async def test_its_examples_work(client, market, app):
    """Each address that it shows is answered."""
    market.instruments.by_code[RELIANCE.code] = RELIANCE._replace(indices="SENSEX")
    market.report({RELIANCE.code: a_quote()})
    text = unescape(docs_html(app.openapi()))
    commands = re.findall(r"<pre>(curl .*?)</pre>", text)
    assert len(commands) > 15
    for command in commands:
        _, url = shlex.split(command)
        answer = await client.get(url.removeprefix("http://localhost:8000"))
        assert answer.status_code in {200, 503}, url  # 503: keys, with the store away
        assert f'<a href="{url.removeprefix("http://localhost:8000")}">Try it' in text


@pytest.mark.parametrize("text", ["<script>", "a & b", "`<b>`"])
def test_nothing_of_the_contract_becomes_markup(text):
    """It is text."""
    page = docs_html({"info": {"title": text, "description": text}, "paths": {}})
    assert text.strip("`") not in page
