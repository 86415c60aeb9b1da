"""What an operator needs to see of the hub is there under the documented names, and moves when it happens."""

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bse_shared.testing.builders import RELIANCE, TCS, a_quote
from bse_ws_hub.metrics import HubMetrics


class Seen:
    """The figures of a hub, by sample name and labels as `/metrics` writes them."""

    def __init__(self, hub):
        self._metrics = hub.clients.metrics

    def __getitem__(self, name):
        """The figure; 0 where there is none yet."""
        return self.all().get(name, 0)

    def all(self):
        """All of them."""
        found = {}
        for metric in vars(self._metrics).values():
            for family in metric.collect():
                for sample in family.samples:
                    labels = ",".join(f"{k}={v}" for k, v in sample.labels.items())
                    found[sample.name + (f"{{{labels}}}" if labels else "")] = (
                        sample.value
                    )
        return found


def documented():
    """The names in the table of docs/fan_out.md."""
    for folder in Path(__file__).parents:
        page = folder / "docs" / "fan_out.md"
        if page.exists():
            rows = re.findall(r"^\|(.*?)\|", page.read_text(), re.MULTILINE)
            return {name for row in rows for name in re.findall(r"`(ws_hub_\w+)", row)}
    raise FileNotFoundError("docs/fan_out.md")


def test_the_documented_names_are_those_that_there_are():
    """None is missing on either side."""
    registry = CollectorRegistry()
    HubMetrics(registry)
    found = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in registry.collect()
    }

    assert documented() == found


@pytest.mark.parametrize(
    ("door", "options"),
    [
        ("json", {}),
        ("json", {"query": "?compress=deflate", "compress": 15}),
        ("msgpack", {"protocols": ("bse.v1.msgpack",)}),
    ],
)
async def test_connections_and_what_they_are_sent(
    hub, market, connect, until, door, options
):
    """One client: it is counted, with the messages, rows and bytes that it got, and its end."""
    seen = Seen(hub)
    client = await connect(hub, **options)
    assert 1 == seen[f"ws_hub_connections{{door={door}}}"]
    await client.send(op="subscribe", symbols=["RELIANCE", "TCS"])
    kinds = (1, 2, 3) if door == "msgpack" else ("image", "update", "quality")
    got = [await client.until(kinds[0])]
    await until(lambda: seen["ws_hub_subscriptions"] == 2)
    assert 1 == seen["ws_hub_groups"]
    before = seen.all()
    await market.report({RELIANCE.code: a_quote(9), TCS.code: a_quote(305_000)})
    got += [await client.until(kinds[1])]
    await client.send(op="ping")
    await client.until("pong")
    got += [m for m in client.taken if _kind(m) in kinds]

    rows = sum(len(m["quotes"] if isinstance(m, dict) else _rows(m)) for m in got)
    assert (len(got), rows) == (
        seen["ws_hub_deliveries_total"],
        seen["ws_hub_symbol_updates_total"],
    )
    for name in ("sent_bytes_total", "flush_seconds_count", "flush_seconds_sum"):
        assert seen[f"ws_hub_{name}"] > before[f"ws_hub_{name}"] > 0
    name = "ws_hub_received_to_sent_seconds"
    assert seen[f"{name}_count"] > before[f"{name}_count"]
    assert 0 <= seen[f"{name}_sum"] < 10
    await client.socket.close()
    await until(lambda: seen["ws_hub_closes_total{reason=client}"] == 1)
    assert 0 == seen[f"ws_hub_connections{{door={door}}}"]
    await until(lambda: seen["ws_hub_subscriptions"] == 0)


@pytest.mark.parametrize("limited", ["scrip", "connection", "not"])
async def test_a_change_counts_as_sent_whoever_gets_it(
    hub, market, connect, scrape, limited
):
    """Also where all clients have a rate."""
    client = await connect(hub)
    if limited == "connection":
        await client.send(op="rate", max_hz=40)
        await client.until("rate")
    rate = {"max_hz": 40} if limited == "scrip" else {}
    await client.send(op="subscribe", symbols=["RELIANCE"], **rate)
    await client.until("image")
    counts = []
    for last_paise in (9, 10):
        counts.append(await _sent_changes(scrape, hub))
        await market.report({RELIANCE.code: a_quote(last_paise)})
        await client.until("update")
    counts.append(await _sent_changes(scrape, hub))

    assert [1, 1] == [after - before for before, after in pairwise(counts)]
    assert 0 < (await scrape(hub))["ws_hub_received_to_sent_seconds_sum"] < 10


async def test_a_change_that_nobody_watches_is_not_sent(hub, market, connect, scrape):
    """One is, the other is not."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE"])
    await client.until("image")
    before = await _sent_changes(scrape, hub)
    await market.report({TCS.code: a_quote(9)})
    await market.report({RELIANCE.code: a_quote(9)})
    await client.until("update")

    assert before + 1 == await _sent_changes(scrape, hub)


async def _sent_changes(scrape, hub):
    return (await scrape(hub))["ws_hub_received_to_sent_seconds_count"]


def _kind(message):
    return message["type"] if isinstance(message, dict) else message[0]


def _rows(message):
    """Of an image, update or quality in MessagePack."""
    return next(part for part in message[1:] if isinstance(part, list))


async def test_connections_of_the_other_doors(hub, http, until):
    """Socket.IO, over either transport, and event streams."""
    seen = Seen(hub)
    async with (
        http.get(f"{hub.url}/sse?symbols=TCS") as stream,
        http.ws_connect(f"{hub.url}/socket.io/?EIO=4&transport=websocket") as ws,
    ):
        await ws.send_str("40")
        await until(lambda: seen["ws_hub_connections{door=socketio}"] == 1)
        assert 1 == seen["ws_hub_connections{door=sse}"]
        await ws.close()
        stream.close()
    await until(lambda: seen["ws_hub_connections{door=socketio}"] == 0)
    await until(lambda: seen["ws_hub_connections{door=sse}"] == 0)
    assert 2 == seen["ws_hub_closes_total{reason=client}"]


async def test_what_is_refused(start_hub, connect, http):
    """Commands, and those who come too fast, by reason."""
    hub = await start_hub({"mode": "optional"}, arrivals_per_s=1)
    seen = Seen(hub)
    client = await connect(hub)
    await client.send(op="nonsense")
    await client.until("error")
    assert 1 == seen["ws_hub_bad_messages_total{reason=unknown_op}"]

    statuses = []
    while 429 not in statuses:
        async with http.get(f"{hub.url}/sse?symbols=TCS") as answer:
            statuses.append(answer.status)
            answer.close()
    assert 1 == seen["ws_hub_refused_total{reason=rate_limited,detail=}"]


async def test_who_is_here_and_how_the_hub_does(start_hub, connect, until):
    """Identities, the feed's age, and how late the ticks are, from the loops that look after clients."""
    hub = await start_hub({"mode": "optional"})
    seen = Seen(hub)
    await connect(hub)
    await until(lambda: seen["ws_hub_identities"] == 1)
    await until(lambda: not math.isnan(seen["ws_hub_feed_age_seconds"]))

    assert 0 <= seen["ws_hub_feed_age_seconds"] < 60
    assert 1 < seen["ws_hub_loop_lag_seconds_count"]


async def test_a_feed_that_never_confirmed_has_no_age(hub_without_market, until):
    """Zero would look fresh."""
    seen = Seen(hub_without_market)
    await until(lambda: math.isnan(seen["ws_hub_feed_age_seconds"]))
