"""The doors, over HTTP."""

import httpx
import pytest

from bse_monitor.dashboard.app import create_app
from bse_monitor.loops.observe import Event, View
from bse_monitor.rules.changes import changes
from bse_monitor.rules.limits import Limits
from bse_monitor.rules.observation import NOTHING_SEEN
from bse_monitor.rules.verdict import evaluate
from bse_shared.wire.records import SourceRecord


AS_OF_MS = 1_795_334_400_000


@pytest.fixture
def show():
    """Opens the doors on what is seen of a platform."""

    def client(observation, age_ms=400.0):
        status = evaluate(observation, Limits())
        events = tuple(Event(AS_OF_MS, c) for c in changes(None, status))
        app = create_app(lambda: View(status, AS_OF_MS, age_ms, events))
        transport = httpx.ASGITransport(app)
        return httpx.AsyncClient(transport=transport, base_url="http://monitor")

    return client


async def test_the_feed_tells_orders_suspects_and_sources(show, an_observation, a_feed):
    """In the fetcher's words, but on one line and not at any length."""
    market = SourceRecord(
        source="bse",
        endpoint="market",
        role="primary",
        circuit="open",
        failures=3,
        opened=2,
        answered_ms_ago=9500,
        asked_again_in_ms=2400,
        last_error="html: a page\ninstead of data",
    )
    report = {
        "order": "frozen by asha for 60 s more",
        "order_ends_at_ms": AS_OF_MS,
        "suspect": 99,
        "suspects": {f"S{n}": "x" * 500 for n in range(99)},
        "drift": {"missing:dt_tm": 7},
        "demand": {"hot": 1},
        "sources": [market],
    }
    async with show(an_observation(feed=a_feed(**report))) as client:
        feed = (await client.get("/status")).json()["feed"]

    assert ("frozen by asha for 60 s more", AS_OF_MS, 99) == (
        feed["order"],
        feed["order_ends_at_ms"],
        feed["suspect"],
    )
    assert 50 == len(feed["suspects"])
    assert 60 == len(feed["suspects"]["S0"])
    assert ({"missing:dt_tm": 7}, {"hot": 1}) == (feed["drift"], feed["demand"])
    assert [
        {
            "source": "bse",
            "endpoint": "market",
            "role": "primary",
            "circuit": "open",
            "failures": 3,
            "opened": 2,
            "answered_s_ago": 9.5,
            "asked_again_in_s": 2.4,
            "last_error": "html: a page instead of data",
        }
    ] == feed["sources"]


async def test_status_is_the_whole_tree(show, an_observation):
    """From the verdict down to an instance's figures."""
    async with show(an_observation()) as client:
        reply = await client.get("/status")
    tree = reply.json()

    assert (200, "ok", [], AS_OF_MS, 0.4) == (
        reply.status_code,
        tree["status"],
        tree["reasons"],
        tree["as_of_ms"],
        tree["age_s"],
    )
    assert {"status": "ok", "reasons": [], "latency_ms": 1.5} == tree["store"]
    assert ("ok", 1.2, "open") == (
        tree["feed"]["status"],
        tree["feed"]["age_s"],
        tree["feed"]["session"]["phase"],
    )
    assert ["fetcher", "gateway", "ws-hub", "monitor"] == [
        service["service"] for service in tree["services"]
    ]
    gateway = tree["services"][1]["instances"][0]
    assert ("gateway-1", "up", 0.5, 59.5) == (
        gateway["instance"],
        gateway["status"],
        gateway["heartbeat_age_s"],
        gateway["uptime_s"],
    )
    assert "overall" == tree["events"][0]["part"]


async def test_down_is_still_an_answer(show):
    """200, for readers of the body; 503 for uptime checkers that ask strictly."""
    async with show(NOTHING_SEEN) as client:
        plain = await client.get("/status")
        strict = await client.get("/status?strict=1")

    assert (200, 503) == (plain.status_code, strict.status_code)
    assert "down" == plain.json()["status"] == strict.json()["status"]
    assert (None, None) == (
        plain.json()["feed"]["age_s"],
        plain.json()["feed"]["source"],
    )


async def test_strictness_spares_what_is_not_down(show, an_observation, a_feed):
    """Degraded is no outage."""
    feed = a_feed(state="failing", last_error="HTTP 403")
    async with show(an_observation(feed=feed)) as client:
        reply = await client.get("/status?strict=1")

    assert (200, "degraded") == (reply.status_code, reply.json()["status"])


async def test_the_summary_is_one_line_of_text(show, an_observation, a_feed):
    """Also when somebody's error message has many lines."""
    feed = a_feed(state="failing", last_error="one\ntwo\r\nthree")
    async with show(an_observation(feed=feed)) as client:
        reply = await client.get("/status/summary")

    assert "text/plain; charset=utf-8" == reply.headers["content-type"]
    assert ["degraded"] == [line.split()[0] for line in reply.text.splitlines()]


async def test_the_page_comes_with_its_policy(show, an_observation):
    """And nothing may be kept in a cache."""
    async with show(an_observation()) as client:
        reply = await client.get("/")

    assert "text/html; charset=utf-8" == reply.headers["content-type"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert ("no-store", "nosniff") == (
        reply.headers["cache-control"],
        reply.headers["x-content-type-options"],
    )


async def test_the_tree_is_described(show, an_observation):
    """OpenAPI names the models and explains their members."""
    async with show(an_observation()) as client:
        schema = (await client.get("/openapi.json")).json()
    models = schema["components"]["schemas"]

    assert {"StatusReply", "FeedReply", "ServiceReply", "InstanceReply"} <= set(models)
    assert (
        "worst required part"
        in models["StatusReply"]["properties"]["status"]["description"]
    )


async def test_what_an_instance_tells_of_itself_is_bounded(
    show, an_observation, an_instance
):
    """A broken instance cannot swell the status."""
    loud = an_instance(detail={f"k{n}": "x" * 9000 for n in range(900)})
    async with show(an_observation(instances=(loud,))) as client:
        reply = await client.get("/status")

    assert len(reply.content) < 20_000
