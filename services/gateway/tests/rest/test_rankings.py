"""Rankings and breadth; on the same market indices, their members, and depth."""

import pytest

from bse_gateway.rest.rankings import MarketBoards
from bse_gateway.rest.replies.market import BreadthReply, IndicesReply
from bse_gateway.rest.replies.quotes import BatchReply, DepthReply
from bse_shared.quotes.instrument import InstrumentMaster
from bse_shared.redis_edge import keys
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.testing.builders import INFY, RELIANCE, TCS, a_quote
from bse_shared.testing.fake_clock import FakeClock
from bse_shared.wire.records import IndexRecord


@pytest.fixture(autouse=True)
def quotes(market):
    """RELIANCE rose a little, TCS much; INFY fell. The first two are in an index."""
    market.instruments = InstrumentMaster(
        [
            RELIANCE._replace(indices="SENSEX|BSE 100"),
            TCS._replace(indices="SENSEX", group="B"),
            INFY,
        ],
        version=2,
    )
    market.report(
        {
            RELIANCE.code: a_quote(101_00, previous_close_paise=100_00),
            TCS.code: a_quote(
                110_00,
                previous_close_paise=100_00,
                upper_circuit_paise=110_00,
                bids=((109_95, 10),),
            ),
            INFY.code: a_quote(95_00, previous_close_paise=100_00),
        }
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/market/movers", ["TCS", "RELIANCE"]),
        ("/api/market/movers?by=losers", ["INFY"]),
        ("/api/market/movers?by=volume&limit=2", ["INFY", "RELIANCE"]),
        ("/api/market/movers?selection=group:b", ["TCS"]),
        ("/api/market/movers?selection=index:S%26P%20BSE%20SENSEX&limit=1", ["TCS"]),
        ("/api/market/circuits", ["TCS"]),
        ("/api/market/circuits?side=lower", []),
        ("/api/market/52-week?side=low", []),
        ("/api/indices/sensex/quotes", ["RELIANCE", "TCS"]),
    ],
)
async def test_rankings_are_batches_of_quotes(client, path, expected):
    """In the order of the ranking, in the shape of a batch."""
    answer = await client.get(path)
    found = BatchReply.model_validate_json(answer.content)
    assert expected == [quote.symbol for quote in found.quotes]


async def test_rankings_take_fields_tags_and_formats(client):
    """As a batch does."""
    path = "/api/market/movers?fields=change_percent"
    answer = await client.get(path)
    assert 10.0 == answer.json()["quotes"][0]["change_percent"]
    assert "volume" not in answer.json()["quotes"][0]
    short = await client.get("/api/market/movers?mode=ltp&limit=1")
    assert ("TCS", 110, False) == (
        short.json()["quotes"][0]["symbol"],
        short.json()["quotes"][0]["last"],
        "volume" in short.json()["quotes"][0],
    )
    condition = {"if-none-match": answer.headers["etag"]}
    assert 304 == (await client.get(path, headers=condition)).status_code
    packed = await client.get(path, headers={"accept": "application/msgpack"})
    assert "application/msgpack" == packed.headers["content-type"]


async def test_breadth_counts_the_selection(client):
    """Up, down, at a limit."""
    answer = await client.get("/api/market/breadth")
    found = BreadthReply.model_validate_json(answer.content)
    assert (2, 1, 0, 0) == (
        found.advances,
        found.declines,
        found.unchanged,
        found.untraded,
    )
    assert 1 == found.at_upper_circuit


async def test_indices_are_listed(client):
    """With the number of their members."""
    answer = await client.get("/api/indices")
    found = IndicesReply.model_validate_json(answer.content)
    assert [("BSE 100", 1), ("SENSEX", 2)] == [
        (i.name, i.members) for i in found.indices
    ]


async def test_indices_have_values_of_their_own(redis, make_app, client_of, market):
    """In points, with an age; the last ones while the store is away; `null` before."""
    history = MarketHistory(redis, FakeClock(), 1)
    sensex = IndexRecord(
        name="SENSEX",
        code=16,
        last=85_231_92,
        previous_close=85_000_00,
        exchange_time_ms=1_795_334_400_000,
        received_at_ms=market.at_ms - 700,
    )
    smallcap = IndexRecord(name="SMALLCAP", code=82, last=5_001_00)
    await history.save_indices({"SENSEX": sensex, "SMALLCAP": smallcap})
    async with client_of(make_app(redis)) as client:
        answer = await client.get("/api/indices")
        assert b'"last":85231.92,' in answer.content
        await redis.delete(keys.INDICES)
        assert answer.json() == (await client.get("/api/indices")).json()
    found = IndicesReply.model_validate_json(answer.content)
    assert [("BSE 100", 1), ("SENSEX", 2), ("SMALLCAP", 0)] == [
        (i.name, i.members) for i in found.indices
    ]
    hundred, thirty, small = answer.json()["indices"]
    assert {None} == {hundred[name] for name in ("last", "age_ms", "as_of")}
    assert (231.92, 0.27, 700) == (
        thirty["change"],
        thirty["change_percent"],
        thirty["age_ms"],
    )
    assert (5001, None) == (small["last"], small["change"])


async def test_depth_is_the_book_and_how_far_it_may_be_trusted(client):
    """Nothing else of the quote."""
    answer = await client.get("/api/stock/TCS/depth")
    found = DepthReply.model_validate_json(answer.content)
    assert ("live", None) == (found.quality, found.asks)
    assert [[109.95, 10]] == answer.json()["bids"]


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/api/market/movers?by=luck", 422, "invalid-request"),
        ("/api/market/movers?limit=0", 422, "invalid-request"),
        ("/api/market/movers?limit=x", 422, "invalid-request"),
        ("/api/market/movers?selection=RELIANCE", 422, "invalid-request"),
        ("/api/market/movers?selection=index:NOWHERE", 404, "unknown-selection"),
        ("/api/market/movers?fields=luck", 422, "unknown-field"),
        ("/api/market/movers?mode=luck", 422, "unknown-mode"),
        ("/api/market/movers?fields=last&fields=open", 422, "repeated-parameter"),
        ("/api/market/breadth?selection=group:%00", 422, "invalid-request"),
        ("/api/indices/NOWHERE/quotes", 404, "unknown-selection"),
        ("/api/stock/XX/depth", 404, "unknown-symbol"),
    ],
)
async def test_mistakes_are_problems(client, path, status, slug):
    """Each its own."""
    answer = await client.get(path)
    assert (status, f"/problems/{slug}") == (answer.status_code, answer.json()["type"])


async def test_before_the_market_was_read_callers_are_asked_to_come_again(
    client, market
):
    """An empty ranking would be a lie."""
    market.ready = False
    for path in (
        *("/api/market/movers", "/api/market/breadth", "/api/indices"),
        *("/api/indices/SENSEX/quotes", "/api/stock/TCS/depth"),
        *("/api/search?q=x", "/api/instruments", "/api/instruments/TCS"),
        *("/udf/quotes?symbols=TCS", "/udf/search?query=x", "/udf/time"),
    ):
        assert 503 == (await client.get(path)).status_code, path


def test_a_ranking_is_made_once_for_a_state_of_the_table(market):
    """And again when the table or the master is another one."""
    boards = MarketBoards(market)
    first = boards.breadth("*")
    assert first is boards.breadth("*")
    market.report({INFY.code: a_quote(105_00, previous_close_paise=100_00)})
    second = boards.breadth("*")
    assert (2, 3) == (first.advances, second.advances)
    market.instruments = InstrumentMaster([INFY], version=3)
    assert 1 == boards.breadth("*").advances
