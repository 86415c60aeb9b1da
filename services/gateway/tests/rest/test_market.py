"""The market status, and what health says."""

from bse_gateway.rest.market import health_detail, not_ready
from bse_shared.testing.builders import RELIANCE, a_quote


async def test_status_tells_session_feed_and_counts(client, market):
    """Everything a client needs to explain its prices."""
    market.report({RELIANCE.code: a_quote()})
    found = (await client.get("/api/market/status")).json()
    assert market.at_ms == found["server_time_ms"]
    assert "2026-11-22T13:30:01.000+05:30" == found["server_time"]
    assert ("open", True) == (found["session"]["phase"], found["session"]["is_open"])
    assert ("ok", "bse", 400) == (
        found["feed"]["state"],
        found["feed"]["source"],
        found["feed"]["age_ms"],
    )
    assert {"instruments": 3, "quotes": 1} == found["counts"]


async def test_status_tells_both_tracks_of_the_day(client, market):
    """And what is done in their call auctions; a fetcher that knows of no auction tells one track."""
    market.hear(
        closing_auction_phase="closing_auction",
        closing_auction_stage="order_entry",
        special=True,
    )
    session = (await client.get("/api/market/status")).json()["session"]
    assert ("open", None, "closing_auction", "order_entry", True) == (
        session["phase"],
        session["stage"],
        session["closing_auction_phase"],
        session["closing_auction_stage"],
        session["special"],
    )
    market.hear(phase="pre_open", stage="matching")
    session = (await client.get("/api/market/status")).json()["session"]
    assert ("pre_open", "pre_open", "matching") == (
        session["phase"],
        session["closing_auction_phase"],
        session["stage"],
    )


async def test_a_fetcher_that_is_not_heard_makes_the_feed_unknown(client, market):
    """The last word of the fetcher is shown with its age, not as the truth."""
    market.at_ms += 60_000
    feed = (await client.get("/api/market/status")).json()["feed"]
    assert ("unknown", 60_400) == (feed["state"], feed["age_ms"])


async def test_without_any_fetcher_there_is_no_session(client, market):
    """Services start in any order."""
    market.feed = None
    found = (await client.get("/api/market/status")).json()
    assert (None, "unknown", None) == (
        found["session"],
        found["feed"]["state"],
        found["feed"]["age_ms"],
    )


def test_health_tells_what_operators_look_for(market):
    """Redis, feed and quotes at one glance."""
    market.report({RELIANCE.code: a_quote()})
    assert {
        "synced": True,
        "redis_connected": True,
        "quotes": 1,
        "instruments": 3,
        "feed_state": "ok",
        "feed_source": "bse",
        "feed_age_ms": 400,
    } == health_detail(market)


def test_readiness_names_what_is_missing(market):
    """Not read yet, and bus lost, are two things."""
    assert [] == not_ready(market)
    market.connected = False
    assert ["the bus is not heard: quotes grow stale"] == not_ready(market)
    market.ready = False
    assert ["quotes not read yet"] == not_ready(market)
