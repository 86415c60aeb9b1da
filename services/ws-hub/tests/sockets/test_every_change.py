"""Clients that want each change of a scrip: on a live stream, after a pause, after a return."""

from bse_shared.testing.builders import RELIANCE, TCS, a_quote


async def trade(market, *prices):
    """RELIANCE trades at these prices, one after the other, TCS stands still."""
    for paise in prices:
        await market.report({RELIANCE.code: a_quote(paise), TCS.code: a_quote()})


def rows_of(client, message):
    """All update rows so far, this message's last."""
    taken = [m for m in client.taken if isinstance(m, list) and m[0] == 2]
    return [row for m in [*taken, message] for row in m[3]]


async def test_each_change_is_a_row_of_its_own(start_hub, market, connect):
    """Three trades within one tick: three rows in their order, each from where the last one ended."""
    hub = await start_hub(flush_interval_ms=400)
    client = await connect(hub, protocols=("bse.v1.msgpack",))
    await client.send(op="subscribe", symbols=["RELIANCE"], fields=["last"], every=True)
    answer = await client.until("subscribed")
    image = await client.until(1)
    await trade(market, 100, 200, 300)
    last = await client.until(2, lambda m: m[3][-1][3] == {0: 300})
    rows = rows_of(client, last)

    assert answer["symbols"][0]["every"] is True
    assert [{0: 100}, {0: 200}, {0: 300}] == [row[3] for row in rows]
    assert image[3][0][2] == rows[0][1]
    assert [row[2] for row in rows[:-1]] == [row[1] for row in rows[1:]]
    assert any(len(m[3]) > 1 for m in [*client.taken, last] if isinstance(m, list))


async def test_who_returns_to_another_hub_gets_each_change(start_hub, market, connect):
    """The history is every hub's own, and the position opens it on any of them."""
    first, second = await start_hub(), await start_hub()
    client = await connect(first, protocols=("bse.v1.msgpack",))
    await client.send(op="subscribe", symbols=["RELIANCE"], fields=["last"], every=True)
    (code, epoch, sequence, *_), *_ = (await client.until(1))[3]
    await client.socket.close()
    follower = second.clients.follower
    await trade(market, 100, 200, 300)
    client = await connect(second, protocols=("bse.v1.msgpack",))
    await client.send(
        op="resume", positions=[[code, epoch, sequence]], fields=["last"], every=True
    )
    answer = await client.until("resumed")
    last = await client.until(2, lambda m: m[3][-1][3] == {0: 300})

    assert [code] == answer["resumed"]
    assert [{0: 100}, {0: 200}, {0: 300}] == [row[3] for row in rows_of(client, last)]
    assert follower.ready


async def test_what_the_history_has_forgotten_is_told_before_it_comes_merged(
    start_hub, market, connect, until
):
    """`lost` names the scrip and from where to where; then one merged update."""
    hub = await start_hub(history_updates=2)
    client = await connect(hub, protocols=("bse.v1.msgpack",))
    await client.send(op="subscribe", symbols=["RELIANCE"], fields=["last"])
    (code, epoch, sequence, *_), *_ = (await client.until(1))[3]
    await client.socket.close()
    await trade(market, 100, 200, 300, 400)
    table = hub.clients.follower.table
    await until(lambda: table.get(RELIANCE.code).quote.last_paise == 400)
    client = await connect(hub, protocols=("bse.v1.msgpack",))
    await client.send(
        op="resume", positions=[[code, epoch, sequence]], fields=["last"], every=True
    )
    lost = await client.until("lost")
    (row,) = (await client.until(2))[3]

    assert [("RELIANCE", code, sequence)] == [
        (q["symbol"], q["code"], q["from"]) for q in lost["quotes"]
    ]
    assert (code, sequence, lost["quotes"][0]["to"], {0: 400}) == tuple(row)
    assert 1 == hub.clients.metrics.lost_steps._value.get()


async def test_every_change_and_a_rate_exclude_each_other(hub, connect):
    """Both at once is a mistake, and said."""
    client = await connect(hub)
    await client.send(op="subscribe", id=9, symbols=["TCS"], every=True, max_hz=1)
    error = await client.until("error")

    assert (9, "bad_message") == (error["id"], error["reason"])
    assert "exclude" in error["message"]
