"""Yahoo's and the broker's doors on the same market."""

from collections.abc import Callable
from typing import Any

from bse_exchange_sim.simulator import Simulator


YAHOO = "/v7/finance/quote?symbols=RELIANCE.BO,NOBODY.BO,TCS.BO"
KITE = "/quote?i=BSE:RELIANCE&i=BSE:NOBODY&i=BSE:TCS"
TOKEN = {"authorization": "token key:access"}
ALL = "/BseIndiaAPI/api/GetMktData/w?strType=AllMkt&strfilter=All"


async def test_all_providers_tell_the_same_prices(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """One market behind three doors; an unknown symbol is left out."""
    async with running(simulate()) as client:
        table = (await client.get(ALL)).json()["Table"]
        truth = {row["scripname"]: row["ltradert"] for row in table}
        crumb = (await client.get("/v1/test/getcrumb")).text
        quotes = (await client.get(f"{YAHOO}&crumb={crumb}")).json()["quoteResponse"]
        data = (await client.get(KITE, headers=TOKEN)).json()["data"]
    wanted = {name: truth[name] for name in ("RELIANCE", "TCS")}
    assert wanted == {
        row["symbol"].removesuffix(".BO"): row["regularMarketPrice"]
        for row in quotes["result"]
    }
    assert wanted == {
        key.removeprefix("BSE:"): row["last_price"] for key, row in data.items()
    }


async def test_each_provider_wants_its_own_proof(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """Yahoo a crumb, the broker a token, neither BSE's headers."""
    async with running(simulate()) as client:
        del client.headers["referer"]
        stale = await client.get(f"{YAHOO}&crumb=old")
        strange = await client.get(KITE)
        halved = await client.get(KITE, headers={"authorization": "token key:"})
    assert [401, 403, 403] == [a.status_code for a in (stale, strange, halved)]
    assert "Unauthorized" == stale.json()["finance"]["error"]["code"]


async def test_a_chart_tells_the_minutes_of_one_symbol(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """Every finished minute once, null where nobody traded; an unknown symbol is an error in a 200."""
    async with running(simulate()) as client:
        (known,) = (await client.get("/v8/finance/chart/TCS.BO")).json()["chart"][
            "result"
        ]
        unknown = (await client.get("/v8/finance/chart/NOBODY.BO")).json()["chart"]
    assert "INR" == known["meta"]["currency"]
    assert unknown["result"] is None
    times = known["timestamp"]
    (bars,) = known["indicators"]["quote"]
    assert list(range(times[0], times[-1] + 1, 60)) == times
    assert times[-1] + 60 <= known["meta"]["regularMarketTime"] + 60
    traded = [bar for bar in zip(*bars.values(), strict=True) if bar[4] is not None]
    assert traded
    for opened, high, low, close, volume in traded:
        assert low <= min(opened, close) <= max(opened, close) <= high
        assert volume > 0
    assert sum(bar[4] for bar in traded) <= known["meta"]["regularMarketVolume"]


async def test_a_price_can_be_shifted_at_one_provider_alone(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """The row still looks right: only a comparison tells."""
    async with running(simulate()) as client:
        fault = {"kind": "shifted_price", "path": "/quote", "rows": "all"}
        before = (await client.get(KITE, headers=TOKEN)).json()["data"]["BSE:TCS"]
        await client.post("/admin/faults", json={**fault, "percent": 10})
        after = (await client.get(KITE, headers=TOKEN)).json()["data"]["BSE:TCS"]
        table = (await client.get(ALL)).json()["Table"]
    assert round(before["last_price"] * 1.1, 2) == after["last_price"]
    assert before["last_price"] in [row["ltradert"] for row in table]


async def test_provider_clocks_can_go_back_too(
    simulate: Callable[..., Simulator], running: Any
) -> None:
    """Seconds and text alike."""
    async with running(simulate()) as client:
        crumb = (await client.get("/v1/test/getcrumb")).text
        url = f"{YAHOO}&crumb={crumb}"
        yahoo = (await client.get(url)).json()["quoteResponse"]["result"][0]
        kite = (await client.get(KITE, headers=TOKEN)).json()["data"]["BSE:TCS"]
        await client.post("/admin/faults", json={"kind": "clock_back", "hours": 2})
        later = (await client.get(url)).json()["quoteResponse"]["result"][0]
        then = (await client.get(KITE, headers=TOKEN)).json()["data"]["BSE:TCS"]
    assert 7200 == yahoo["regularMarketTime"] - later["regularMarketTime"]
    assert kite["last_trade_time"] > then["last_trade_time"]
