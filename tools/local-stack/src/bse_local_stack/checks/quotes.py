"""What `make smoke` asks of the given routes."""

from bse_local_stack.checks.doors import Doors, hold


SYMBOLS = ["RELIANCE", "532540", "ine009a01021"]
CODES = {500325, 532540, 500209}


async def quote(doors: Doors) -> str:
    """Symbol, code and ISIN in any case mean the same scrip, and its price is live."""
    found = [
        await doors.get("gateway", f"/api/stock/{name}")
        for name in ("reliance", "500325", "INE002A01018")
    ]
    hold({q["code"] for q in found} == {500325}, f"{found}")
    hold(found[0]["quality"] == "live", f"quality {found[0]['quality']}")
    return f"RELIANCE {found[0]['last']} {found[0]['quality']}, {found[0]['age_ms']} ms old"


async def batch(doors: Doors) -> str:
    """Good and bad symbols in one call."""
    found = await doors.get("gateway", "/api/stocks/batch?symbols=RELIANCE,TCS,NOPE")
    hold(len(found["quotes"]) == 2, str(found)[:200])  # noqa: PLR2004 - the two that exist
    hold(found["errors"][0]["reason"] == "unknown_symbol", str(found["errors"]))
    return "2 quotes, 1 error named"


async def problem(doors: Doors) -> str:
    """An unknown symbol is a typed problem."""
    async with doors.http.get(doors.stack.url("gateway") + "/api/stock/NOPE") as answer:
        body = await answer.json(content_type=None)
        hold(answer.status == 404, f"HTTP {answer.status}")  # noqa: PLR2004 - HTTP
        hold(answer.content_type == "application/problem+json", answer.content_type)
    return str(body["title"])


async def market(doors: Doors) -> str:
    """The market's status."""
    found = await doors.get("gateway", "/api/market/status")
    return f"{found['session']['phase']}, feed {found['feed']['state']}"
