"""What a client may ask beyond a mode: fields, rates, indices; and how it comes back."""

import json
from contextlib import asynccontextmanager

import aiohttp

from bse_shared.testing.builders import RELIANCE, TCS, a_quote


async def test_fields_by_name_are_all_that_is_sent(hub, market, connect):
    """A projection: the image has these fields, and a change of others is not told."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE"], fields=["last", "trades"])
    answer = await client.until("subscribed")
    (image,) = (await client.until("image"))["quotes"]

    assert ["last", "trades"] == answer["symbols"][0]["fields"]
    assert {"last", "trades"} == image.keys() - {
        *("symbol", "code", "epoch", "sequence", "changed_at_ms", "quality")
    }
    await market.report({RELIANCE.code: a_quote(volume=500_000), TCS.code: a_quote()})
    await market.report({RELIANCE.code: a_quote(1), TCS.code: a_quote()})
    (update,) = (await client.until("update"))["quotes"]
    assert 0.01 == update["last"]
    assert "volume" not in update


async def test_an_unknown_field_is_named(hub, connect):
    """A typed error that lists what there is."""
    client = await connect(hub)
    await client.send(op="subscribe", id=5, symbols=["TCS"], fields=["price"])
    error = await client.until("error")

    assert (5, "unknown_field") == (error["id"], error["reason"])
    assert "'price'" in error["message"]


async def test_a_group_names_its_scrips(hub, connect):
    """`group:A` is all of group A; `*` is everything."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["group:a"])
    everyone = await client.until("subscribed")
    await client.send(op="unsubscribe", symbols=["*"])
    nobody = await client.until("unsubscribed")
    await client.send(op="subscribe", symbols=["index:NOPE"])
    rejected = await client.until("subscribed")

    assert 3 == len(everyone["symbols"])
    assert [] == nobody["symbols"]
    assert ["unknown_symbol"] == [r["reason"] for r in rejected["rejected"]]


async def test_the_granted_rate_is_echoed(hub, connect):
    """What the hub grants may be less than what was asked."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["TCS"], max_hz=3)
    answer = await client.until("subscribed")
    await client.send(op="rate", id="r", max_hz=1000)
    fast = await client.until("rate")
    await client.send(op="rate", max_hz=4)
    slow = await client.until("rate")

    assert 3.003 == answer["symbols"][0]["max_hz"]
    assert ("r", None) == (fast["id"], fast["max_hz"])
    assert 4 == slow["max_hz"]


async def test_a_limited_client_gets_the_newest_value(hub, market, connect):
    """What came in between is merged into one update."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE"], max_hz=2)
    await client.until("image")
    for paise in range(100, 110):
        await market.report({RELIANCE.code: a_quote(paise), TCS.code: a_quote()})
    seen = []
    while not seen or seen[-1] != 1.09:
        (update,) = (await client.until("update"))["quotes"]
        seen.append(update["last"])

    assert 3 > len(seen)


async def test_a_returning_client_is_told_what_goes_on_and_what_begins_anew(
    hub, market, connect
):
    """Same epoch: just what it lacks. Another epoch: an image. Unknown: rejected."""
    first = await connect(hub)
    await first.send(op="subscribe", symbols=["RELIANCE"])
    (image,) = (await first.until("image"))["quotes"]
    await first.socket.close()
    await market.report({RELIANCE.code: a_quote(7), TCS.code: a_quote()})

    again = await connect(hub)
    await again.send(
        op="resume",
        id=1,
        positions=[
            [RELIANCE.code, image["epoch"], image["sequence"]],
            [TCS.code, 5, 5],
            [999_999, 5, 5],
        ],
    )
    answer = await again.until("resumed")
    (anew,) = (await again.until("image"))["quotes"]
    (update,) = (await again.until("update"))["quotes"]
    told = (await again.until("quality"))["quotes"]
    assert {RELIANCE.code: "live"}.items() <= {
        q["code"]: q["quality"] for q in told
    }.items()

    assert ([RELIANCE.code], [TCS.code]) == (answer["resumed"], answer["re_imaged"])
    assert ["unknown_symbol"] == [r["reason"] for r in answer["rejected"]]
    assert TCS.code == anew["code"]
    assert (RELIANCE.code, image["sequence"], 0.07) == (
        update["code"],
        update["from"],
        update["last"],
    )


async def test_a_position_that_the_scrip_never_had_begins_anew(hub, market, connect):
    """Though the market was there: the answer says so, and the image follows."""
    client = await connect(hub)
    await client.send(op="subscribe", symbols=["RELIANCE", "TCS"])
    await client.until("image")
    for paise in (1, 2, 3):
        await market.report({RELIANCE.code: a_quote(), TCS.code: a_quote(paise)})
        await client.until("update")
    table = hub.clients.follower.table
    epoch, sequence = table.get(RELIANCE.code).position
    again = await connect(hub)
    await again.send(op="resume", positions=[[RELIANCE.code, epoch, sequence + 1]])
    answer = await again.until("resumed")
    (image,) = (await again.until("image"))["quotes"]

    assert ([], [RELIANCE.code]) == (answer["resumed"], answer["re_imaged"])
    assert (RELIANCE.code, sequence) == (image["code"], image["sequence"])


@asynccontextmanager
async def stream(http, url, **options):
    """An open stream, closed at once at the end."""
    answer = await http.get(url, **options)
    try:
        yield answer
    finally:
        answer.close()


class Events:
    """Server-Sent Events as a client reads them."""

    def __init__(self, answer):
        self.answer = answer

    async def until(self, kind):
        """The next event of a type: (id, data)."""
        event = {}
        while True:
            line = (await self.answer.content.readline()).decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif event.get("event") == kind:
                return event.get("id"), json.loads(event["data"])
            else:
                event = {}


async def test_sse_streams_the_same_messages(hub, market):
    """curl is a client too: image, update, heartbeat with an id."""
    url = f"{hub.url}/sse?symbols=RELIANCE,nope&mode=ltp"
    async with aiohttp.ClientSession() as http, stream(http, url) as answer:
        events = Events(answer)
        _, subscribed = await events.until("subscribed")
        _, image = await events.until("image")
        await market.report({RELIANCE.code: a_quote(3), TCS.code: a_quote()})
        _, update = await events.until("update")
        place, _ = await events.until("heartbeat")

    assert "text/event-stream" == answer.content_type
    assert ["nope"] == [r["symbol"] for r in subscribed["rejected"]]
    assert RELIANCE.code == image["quotes"][0]["code"]
    assert 0.03 == update["quotes"][0]["last"]
    assert place


async def test_sse_resumes_where_the_browser_was(hub, market):
    """`Last-Event-ID` brings an image of what changed since; of the rest just the sequence."""
    url = f"{hub.url}/sse?symbols=RELIANCE,TCS"
    async with aiohttp.ClientSession() as http:
        async with stream(http, url) as answer:
            place, _ = await Events(answer).until("heartbeat")
            while place is None:
                place, _ = await Events(answer).until("heartbeat")
        await market.report({RELIANCE.code: a_quote(9), TCS.code: a_quote(305_000)})
        headers = {"Last-Event-ID": place}
        async with stream(http, url, headers=headers) as answer:
            events = Events(answer)
            _, resumed = await events.until("resumed")
            _, image = await events.until("image")
            _, update = await events.until("update")

    assert [TCS.code] == resumed["resumed"]
    assert [RELIANCE.code] == resumed["re_imaged"]
    assert [(RELIANCE.code, 0.09)] == [(q["code"], q["last"]) for q in image["quotes"]]
    assert {"symbol": "TCS", "code": TCS.code, "from": 0, "to": 1} == update["quotes"][
        0
    ]


async def test_sse_says_what_is_wrong_before_it_starts(hub):
    """Problems are RFC 9457 documents with a status."""
    async with aiohttp.ClientSession() as http:
        for query, status in (
            ("", 400),
            ("?symbols=A&mode=x", 400),
            ("?symbols=A&max_hz=z", 400),
            ("?symbols=A&every=perhaps", 400),
            ("?symbols=A&every=true&max_hz=1", 400),
            ("?symbols=A&fields=price", 400),
        ):
            place = {"Last-Event-ID": "1-1"}
            async with http.get(f"{hub.url}/sse{query}", headers=place) as answer:
                assert status == answer.status
                assert "application/problem+json" == answer.content_type
                assert (await answer.json(content_type=None))["detail"]
    assert not any(hub.left_over().values())


async def test_sse_gives_each_change_to_who_wants_it(start_hub, market):
    """Three trades within a tick are three rows."""
    hub = await start_hub(flush_interval_ms=400)
    url = f"{hub.url}/sse?symbols=RELIANCE&fields=last&every=true"
    async with aiohttp.ClientSession() as http, stream(http, url) as answer:
        events = Events(answer)
        await events.until("image")
        for paise in (100, 200, 300):
            await market.report({RELIANCE.code: a_quote(paise), TCS.code: a_quote()})
        found = []
        while found[-1:] != [3.0]:
            _, message = await events.until("update")
            found += [row["last"] for row in message["quotes"]]

    assert [1.0, 2.0, 3.0] == found


async def test_what_a_stream_has_taken_is_unread_no_more(hub, market, until):
    """Else a client that reads all would count as slow in the end."""
    url = f"{hub.url}/sse?symbols=RELIANCE"
    async with aiohttp.ClientSession() as http, stream(http, url) as answer:
        events = Events(answer)
        await events.until("image")
        (client,) = hub.clients.all.values()
        await market.report({RELIANCE.code: a_quote(9), TCS.code: a_quote()})
        await events.until("update")
        await until(lambda: client.outlet.unread_bytes() == 0)

    assert 0 == client.outlet.backlog()


async def test_sse_leaves_nothing_behind(hub, until):
    """A stream that the client drops is forgotten."""
    async with aiohttp.ClientSession() as http:
        async with stream(http, f"{hub.url}/sse?symbols=TCS") as answer:
            await Events(answer).until("image")
            assert 1 == len(hub.clients.all)
        await until(lambda: not hub.clients.all)
