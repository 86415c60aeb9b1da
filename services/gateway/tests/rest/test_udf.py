"""The datafeed for charts, in the protocol's own shapes."""

import pytest

from bse_gateway.rest.udf.replies import (
    UdfConfigReply,
    UdfFoundReply,
    UdfQuotesReply,
    UdfSymbolReply,
)
from bse_shared.testing.builders import RELIANCE, a_quote


@pytest.fixture(autouse=True)
def quotes(market):
    """RELIANCE trades."""
    market.report({RELIANCE.code: a_quote()})


async def test_a_chart_learns_what_the_datafeed_can_do(client, market):
    """And the time, in whole seconds as text."""
    config = await client.get("/udf/config")
    assert UdfConfigReply.model_validate_json(config.content).supports_search
    time = await client.get("/udf/time")
    assert (str(market.at_ms // 1000), "text/plain; charset=utf-8") == (
        time.text,
        time.headers["content-type"],
    )


@pytest.mark.parametrize("symbol", ["RELIANCE", "BSE:RELIANCE", "bse:500325"])
async def test_a_chart_resolves_a_symbol(client, symbol):
    """With or without the exchange."""
    answer = await client.get("/udf/symbols", params={"symbol": symbol})
    found = UdfSymbolReply.model_validate_json(answer.content)
    assert ("RELIANCE", "Asia/Kolkata") == (found.ticker, found.timezone)
    assert "20261225" in found.session_holidays
    assert "0915" == found.session[:4]


async def test_an_unknown_symbol_is_an_error_of_the_protocol(client):
    """In `symbols` and `history`."""
    for path in ("symbols?symbol=XX", "history?symbol=XX&resolution=1D&to=9"):
        answer = await client.get(f"/udf/{path}")
        assert (404, {"s": "error", "errmsg": "unknown_symbol"}) == (
            answer.status_code,
            answer.json(),
        )


async def test_a_chart_searches(client):
    """Only our exchange and kind has anything."""
    answer = await client.get("/udf/search?query=reli&type=stock&exchange=BSE&limit=5")
    (found,) = [UdfFoundReply(**each) for each in answer.json()]
    assert "BSE:RELIANCE" == found.full_name
    assert [] == (await client.get("/udf/search?query=reli&exchange=NSE")).json()


async def test_quotes_come_in_the_order_asked(client):
    """What has none is an error of its own."""
    answer = await client.get("/udf/quotes?symbols=BSE:RELIANCE,XX,TCS")
    found = UdfQuotesReply.model_validate_json(answer.content)
    assert [("ok", "BSE:RELIANCE"), ("error", "XX"), ("error", "TCS")] == [
        (each.s, each.n) for each in found.d
    ]
    assert b'"lp":2901.35,"ch":11.35,"chp":0.39' in answer.content
    assert "live" == found.d[0].v.quality


@pytest.mark.parametrize(
    "path",
    [
        "symbols",
        "history?symbol=TCS",
        "history?symbol=TCS&resolution=2&to=9",
        "quotes",
        "search?limit=0",
        "quotes?symbols=,",
    ],
)
async def test_mistakes_are_problems(client, path):
    """As everywhere."""
    answer = await client.get(f"/udf/{path}")
    assert (422, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
