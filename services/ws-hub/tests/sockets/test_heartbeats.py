"""The negotiated heartbeat, its digest, and how long a round trip takes."""

from itertools import pairwise

import pytest

from bse_shared.testing.builders import RELIANCE, TCS, a_quote
from bse_ws_hub.hub.digest import term


@pytest.mark.parametrize(
    ("asked_ms", "granted_ms"), [(2000, 2000), (1, 500), (60_000, 5000)]
)
async def test_the_interval_is_granted_within_bounds(
    hub, connect, asked_ms, granted_ms
):
    """What is granted is told."""
    client = await connect(hub)
    await client.send(op="heartbeat", id="h", interval_ms=asked_ms)
    granted = await client.until("heartbeat_granted")

    assert {
        "type": "heartbeat_granted",
        "id": "h",
        "interval_ms": granted_ms,
        "digest": False,
    } == granted


async def test_heartbeats_come_at_the_interval_that_was_granted(start_hub, connect):
    """Two clients of one hub, each at its own pace."""
    hub = await start_hub(heartbeat_interval_ms=2000)
    quick, slow = await connect(hub), await connect(hub)
    await quick.send(op="heartbeat", interval_ms=500)
    await quick.until("heartbeat_granted")
    times = [(await quick.until("heartbeat"))["server_time_ms"] for _ in range(4)]
    await slow.send(op="ping")
    await slow.until("pong")

    gaps = [after - before for before, after in pairwise(times)]
    assert all(400 <= gap <= 900 for gap in gaps), gaps
    assert len([m for m in slow.taken if m["type"] == "heartbeat"]) <= 1


async def test_the_digest_is_that_of_the_clients_own_state(hub, market, connect):
    """It covers all scrips of the set, also one that has no quote, and moves with them."""
    client = await connect(hub, protocols=("bse.v1.msgpack",))
    held = {}

    async def beat():
        while True:
            message = await client.next()
            if isinstance(message, dict):
                if "digest" in message and message["type"] == "heartbeat":
                    return message["digest"]
            elif message[0] == 1:
                held.update({row[0]: (row[1], row[2]) for row in message[3]})
            elif message[0] == 2:
                for code, since, to, _ in message[3]:
                    assert since <= held[code][1]
                    held[code] = (held[code][0], to)

    def expected():
        return sum(term(code, *held[code]) for code in held) % 2**32

    await client.send(op="subscribe", symbols=["RELIANCE", "INFY"], mode="ltp")
    await client.send(op="heartbeat", interval_ms=500, digest=True)
    first = await beat()
    assert (2, expected()) == (len(held), first)
    # A change that this mode does not show moves nothing; one that it shows does.
    await market.report({RELIANCE.code: a_quote(volume=9_999_999), TCS.code: a_quote()})
    assert (first, first) == (await beat(), expected())
    await market.report({RELIANCE.code: a_quote(7), TCS.code: a_quote()})
    second = await beat()
    while second == first:
        second = await beat()
    assert expected() == second


async def test_the_round_trip_of_pings_is_measured(hub, connect, until):
    """uvicorn pings; what it finds is in the metrics."""
    client = await connect(hub)
    (protocol,) = hub.server.server_state.connections
    protocol.send_keepalive_ping()
    await client.send(op="ping")
    await client.until("pong")
    histogram = hub.clients.metrics.round_trip_seconds
    await until(lambda: sum(bucket.get() for bucket in histogram._buckets))

    assert 0 <= histogram._sum.get() < 5
