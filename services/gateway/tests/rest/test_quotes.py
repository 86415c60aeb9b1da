"""The quote routes."""

import msgspec
import pytest

from bse_gateway.rest.replies.quotes import BatchReply, QuoteReply
from bse_shared.testing.builders import INFY, RELIANCE, TCS, a_quote


@pytest.fixture(autouse=True)
def quotes(market):
    """RELIANCE and TCS trade, INFY has not yet."""
    market.report({RELIANCE.code: a_quote(), TCS.code: a_quote(301_000)})


async def test_a_quote_is_answered_in_rupees(client):
    """The whole way from the table to the client."""
    answer = await client.get("/api/stock/reliance")
    assert (200, "application/json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert b'"last":2901.35,' in answer.content
    assert b'"change":11.35,"change_percent":0.39,' in answer.content
    assert b'"as_of":"2026-11-22T13:30:00.000+05:30"' in answer.content
    assert "live" == QuoteReply.model_validate_json(answer.content).quality


async def test_a_batch_answers_each_scrip_once_and_names_the_rest(client):
    """One wrong identifier does not spoil the others."""
    answer = await client.get(
        "/api/stocks/batch", params={"symbols": "TCS,500325,RELIANCE,XX,INFY,A\0"}
    )
    found = BatchReply.model_validate_json(answer.content)
    assert [TCS.code, RELIANCE.code] == [quote.code for quote in found.quotes]
    assert [
        ("XX", "unknown_symbol"),
        ("INFY", "no_quote"),
        ("A\0", "invalid_symbol"),
    ] == [(error.symbol, error.reason) for error in found.errors]


async def test_a_batch_is_one_instant(client, market):
    """All ages of an answer are judged at the same moment."""
    market.at_ms += 1_234
    answer = await client.get("/api/stocks/batch?symbols=TCS,RELIANCE")
    found = BatchReply.model_validate_json(answer.content)
    assert market.at_ms == found.server_time_ms
    assert {1_234} == {quote.age_ms for quote in found.quotes}


@pytest.mark.parametrize("path", ["/api/stock/TCS", "/api/stocks/batch?symbols=TCS,XX"])
async def test_what_the_caller_holds_is_not_sent_again(client, market, path):
    """304 until the quote or its quality changes; a growing age is no change."""
    first = await client.get(path)
    condition = {"if-none-match": first.headers["etag"]}
    market.at_ms += 5_000
    same = await client.get(path, headers=condition)
    market.at_ms += 5_000
    stale = await client.get(path, headers=condition)
    market.report({TCS.code: a_quote(301_005)})
    changed = await client.get(path, headers=condition)

    assert (304, b"") == (same.status_code, same.content)
    assert first.headers["etag"] == same.headers["etag"]
    assert "private, no-cache" == same.headers["cache-control"]
    assert (200, True) == (stale.status_code, b'"stale"' in stale.content)
    assert (200, True) == (changed.status_code, b"3010.05" in changed.content)


@pytest.mark.parametrize("path", ["/api/stock/TCS", "/api/stocks/batch?symbols=TCS"])
async def test_programs_may_have_messagepack(client, path):
    """By Accept, with its own tag."""
    packed = await client.get(path, headers={"accept": "application/msgpack"})
    plain = await client.get(path)
    found = msgspec.msgpack.decode(packed.content)
    assert "application/msgpack" == packed.headers["content-type"]
    assert 301_000 == found.get("quotes", [found])[0]["last_paise"]
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "Accept" == packed.headers["vary"]


async def test_lookups_are_counted_by_result(client, registry):
    """Hits over all lookups is the cache hit ratio."""
    await client.get("/api/stocks/batch?symbols=TCS,RELIANCE,INFY,XX")
    await client.get("/api/stock/TCS")

    def count(result):
        return registry.get_sample_value("gateway_lookups_total", {"result": result})

    assert [3, 1, 1, 0] == [
        count(result)
        for result in ("hit", "no_quote", "unknown_symbol", "invalid_symbol")
    ]


async def test_a_known_scrip_without_a_quote_is_its_own_problem(client):
    """A client may try again later; with an unknown symbol it need not."""
    answer = await client.get(f"/api/stock/{INFY.code}")
    assert (404, "/problems/no-quote") == (answer.status_code, answer.json()["type"])


@pytest.mark.parametrize(
    "path",
    ["/api/stock/TCS", "/api/stocks/batch?symbols=TCS", "/api/market/status"],
)
async def test_before_the_market_was_read_callers_are_asked_to_come_again(
    client, market, path
):
    """An empty table is not an answer."""
    market.ready = False
    answer = await client.get(path)
    assert (503, "/problems/not-ready", "1") == (
        answer.status_code,
        answer.json()["type"],
        answer.headers["retry-after"],
    )


async def test_a_caller_may_choose_members(client):
    """Only those, and always the ones without which a price must not be shown; tags tell choices apart."""
    whole = await client.get("/api/stock/TCS")
    some = await client.get("/api/stock/TCS?fields=last,volume")
    batch = await client.get("/api/stocks/batch?symbols=TCS&fields=last,volume")
    found = some.json()
    always = {"symbol", "code", "position", "quality", "confirmed_at_ms", "age_ms"}
    assert {*always, "last", "volume"} == found.keys()
    assert found == {name: whole.json()[name] for name in found}
    assert [found] == batch.json()["quotes"]
    assert some.headers["etag"] != whole.headers["etag"]


@pytest.mark.parametrize(
    ("query", "there", "left_out"),
    [
        ("mode=ltp", {"last", "previous_close", "change_percent"}, {"volume", "name"}),
        ("mode=quote", {"last", "volume", "bid", "ask_quantity"}, {"bids", "isin"}),
        ("mode=full", {"last", "volume", "bids", "name"}, set()),
        ("mode=ltp&fields=volume", {"last", "volume"}, {"open"}),
    ],
)
async def test_a_caller_may_choose_a_mode(client, query, there, left_out):
    """As over the stream; chosen members come besides."""
    whole = (await client.get("/api/stock/TCS")).json()
    found = (await client.get(f"/api/stock/TCS?{query}")).json()
    batch = await client.get(f"/api/stocks/batch?symbols=TCS&{query}")
    assert found == {name: whole[name] for name in found}
    assert there <= found.keys()
    assert not left_out & found.keys()
    assert [found] == batch.json()["quotes"]
    assert {"symbol", "position", "quality", "age_ms"} <= found.keys()


async def test_a_mode_that_there_is_not_is_a_problem(client):
    """It names those that there are."""
    answer = await client.get("/api/stock/TCS?mode=depth")
    assert (422, "/problems/unknown-mode") == (
        answer.status_code,
        answer.json()["type"],
    )
    assert "ltp, quote, full" in answer.json()["detail"]


async def test_chosen_members_are_the_same_in_messagepack(client):
    """By the names of the JSON; prices keep their own names there."""
    answer = await client.get(
        "/api/stock/TCS?fields=last,change_percent",
        headers={"accept": "application/msgpack"},
    )
    found = msgspec.msgpack.decode(answer.content)
    assert (301_000, 415) == (found["last_paise"], found["change_basis_points"])
    assert "volume" not in found


async def test_a_large_answer_is_gzipped_for_who_takes_it(client):
    """The same content, fewer bytes."""
    path = "/api/stocks/batch?symbols=TCS,RELIANCE"
    plain = await client.get(path, headers={"accept-encoding": "identity"})
    packed = await client.get(path, headers={"accept-encoding": "gzip"})
    assert "gzip" == packed.headers["content-encoding"]
    assert "content-encoding" not in plain.headers
    assert plain.json() == packed.json()
    assert int(packed.headers["content-length"]) < len(plain.content)


@pytest.mark.parametrize(
    "path", ["/api/stock/TCS", "/api/stocks/batch?symbols=TCS", "/api/market/status"]
)
async def test_head_is_get_without_the_body(client, path):
    """Headers of the answer, its length too."""
    whole = await client.get(path)
    head = await client.head(path)
    assert (200, b"") == (head.status_code, head.content)
    for name in ("content-type", "content-length", "cache-control"):
        assert whole.headers[name] == head.headers[name]
