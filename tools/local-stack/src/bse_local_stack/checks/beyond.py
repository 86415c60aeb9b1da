"""What `make smoke` asks of the routes beyond the given ones: each must tell of the running market, not just answer."""

from urllib.parse import quote

from bse_local_stack.checks.doors import CHANGE_WITHIN_S, Doors, hold, json_until


INDICES_WITHIN_S = 5
DEPTH_LEVELS = 5
STOCK = "/api/stock/RELIANCE"


async def indices(doors: Doors) -> str:
    """The indices have values soon after the start, within their day's range, and members with quotes."""

    def all_valued(answer: dict[str, list[dict[str, object]]]) -> bool:
        return all(each["last"] is not None for each in answer["indices"])

    found = await doors.until("gateway", "/api/indices", all_valued, INDICES_WITHIN_S)
    names = {each["name"]: each for each in found["indices"]}
    sensex = names["SENSEX"]
    hold(sensex["low"] <= sensex["last"] <= sensex["high"], str(sensex))
    members = await doors.get("gateway", "/api/indices/SENSEX/quotes")
    count = len(members["quotes"])
    hold(count == sensex["members"] and not members["errors"], f"{count} members")
    return f"SENSEX {sensex['last']}, {count} members"


async def candles(doors: Doors) -> str:
    """The minute under way is there within a few trades, and the day's candle is the quote's day."""
    path = f"{STOCK}/candles"
    minutes = await doors.until(
        "gateway", path, lambda found: bool(found["candles"]), CHANGE_WITHIN_S
    )
    last = minutes["candles"][-1]
    hold(last["low"] <= last["close"] <= last["high"], str(last))
    days = await doors.get("gateway", f"{path}?interval=1d")
    hold(len(days["candles"]) == 1, str(days)[:200])
    now = await doors.get("gateway", f"{STOCK}?fields=open")
    hold(days["candles"][0]["open"] == now["open"], str(days)[:200])
    return f"{len(minutes['candles'])} minutes, today {days['candles'][0]['close']}"


async def depth(doors: Doors) -> str:
    """Five levels a side, best first, once somebody streams the scrip."""
    url = doors.stack.url("ws-hub", "ws") + "/ws"
    async with doors.http.ws_connect(url) as ws:
        await ws.send_json({"op": "subscribe", "symbols": ["INFY"], "mode": "full"})
        await json_until(ws, "image")
        found = await doors.until(
            "gateway",
            "/api/stock/INFY/depth",
            lambda depth: bool(depth["bids"] and depth["asks"]),
            CHANGE_WITHIN_S,
        )
    bids, asks = ([price for price, _ in found[side]] for side in ("bids", "asks"))
    hold(bids == sorted(bids, reverse=True) and asks == sorted(asks), str(found))
    hold(len(bids) == len(asks) == DEPTH_LEVELS, str(found))
    return f"bid {bids[0]}, ask {asks[0]}"


async def rankings(doors: Doors) -> str:
    """Movers in order; breadth counts every scrip once."""
    found = await doors.get("gateway", "/api/market/movers?by=gainers&limit=10")
    changes = [each["change_percent"] for each in found["quotes"]]
    hold(len(changes) == 10, f"{len(changes)} movers")  # noqa: PLR2004 - as asked
    hold(changes == sorted(changes, reverse=True), str(changes))
    breadth = await doors.get("gateway", "/api/market/breadth")
    counted = [breadth[n] for n in ("advances", "declines", "unchanged", "untraded")]
    known = (await doors.get("gateway", "/api/market/status"))["counts"]
    hold(sum(counted) == known["instruments"], f"{breadth} of {known}")
    return f"best {changes[0]} %, {counted[0]} rose, {counted[1]} fell"


async def search(doors: Doors) -> str:
    """By part of a name; and page by page, nothing twice."""
    found = await doors.get("gateway", "/api/search?q=relian")
    hold(found["instruments"][0]["symbol"] == "RELIANCE", str(found)[:200])
    codes: list[int] = []
    page = await doors.get("gateway", "/api/instruments?limit=1000")
    while True:
        codes += [each["code"] for each in page["instruments"]]
        if page["next"] is None:
            break
        path = f"/api/instruments?limit=1000&after={page['next']}"
        page = await doors.get("gateway", path)
    hold(len(set(codes)) == len(codes) == page["total"], f"{len(codes)} scrips")
    return f"{len(codes)} scrips in pages"


async def calendar(doors: Doors) -> str:
    """The days ahead with their sessions, and this year's holidays."""
    found = await doors.get("gateway", "/api/market/days")
    hold(len(found["days"]) == 7, str(found)[:200])  # noqa: PLR2004 - a week
    plain = [day for day in found["days"] if not day["special"]]
    hold(
        all(bool(day["sessions"]) == day["is_trading_day"] for day in plain),
        str(found)[:400],
    )
    year = found["days"][0]["date"][:4]
    holidays = await doors.get("gateway", f"/api/market/holidays?year={year}")
    return f"{len(holidays['days'])} special days in {year}, known until {found['calendar_until']}"


async def charts(doors: Doors) -> str:
    """What a chart asks: configuration, symbol, quotes, bars up to now."""
    config = await doors.get("gateway", "/udf/config")
    symbol = await doors.get("gateway", f"/udf/symbols?symbol={quote('BSE:RELIANCE')}")
    hold(
        set(symbol["supported_resolutions"]) <= set(config["supported_resolutions"]),
        str(symbol),
    )
    quotes = await doors.get("gateway", "/udf/quotes?symbols=BSE:RELIANCE,TCS")
    hold([each["s"] for each in quotes["d"]] == ["ok", "ok"], str(quotes)[:200])
    now_s = int(await doors.get("gateway", "/udf/time"))
    asked = f"symbol=RELIANCE&resolution=1&to={now_s + 86_400}&countback=5"
    bars = await doors.get("gateway", f"/udf/history?{asked}&from=0")
    hold(bars["s"] == "ok" and bars["t"] == sorted(bars["t"]), str(bars)[:200])
    return f"{len(bars['t'])} bars, the last at {bars['c'][-1]}"
