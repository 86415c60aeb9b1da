"""The datafeed by the protocol's text and by what its usual client sends: a row a rule.

The client (TradingView's datafeed adapter) asks with `fetch`, looks at no status, reads the body as JSON, and then at the members
below. It hands `config` and `symbols` on to the chart as they are.
"""

import json

import pytest

from bse_shared.quotes.candles import MINUTE_MS, Candle
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import MarketStore
from bse_shared.testing.builders import RELIANCE, a_quote
from bse_shared.testing.fake_clock import FakeClock


OPEN_MS = 1_795_319_100_000
"""09:15 in India on the day of the quotes."""
OPEN_S = OPEN_MS // 1000
DAY_S = 86_400
NOW_S = OPEN_S + 3 * 60


@pytest.fixture
async def ask(redis, market, make_app, client_of):
    """Ask as the client does: JSON, whatever the status. RELIANCE has three minutes and the one under way."""
    clock = FakeClock()
    lease = await MarketStore(redis, clock, 1).take_lease(0, "fetcher-1", 60_000, 0)
    minutes = [
        Candle(OPEN_MS + n * MINUTE_MS, 100_00 + n, 101_00, 99_95, 100_50, 10 + n)
        for n in range(3)
    ]
    await MarketHistory(redis, clock, 1).append_minutes(
        lease, [(RELIANCE.code, minute) for minute in minutes]
    )
    app = make_app(redis)
    for second in (-60, 0, 3):
        market.at_ms = (NOW_S + second) * 1000
        trade = {"exchange_time_ms": market.at_ms, "volume": 1000 + second}
        market.report({RELIANCE.code: a_quote(102_00 + second, **trade)})
    async with client_of(app) as client:

        async def send(path, **params):
            answer = await client.get(f"/udf/{path}", params=params)
            return json.loads(answer.text)

        yield send


def history(resolution="1", **more):
    """As the client asks: with the currency that `symbols` named."""
    span = {"symbol": "RELIANCE", "from": OPEN_S - 600, "to": NOW_S + 5}
    return span | {"resolution": resolution, "currencyCode": "INR"} | more


async def test_config_says_how_symbols_are_found(ask):
    """By search or by group, one of them; and names what can be chosen."""
    config = await ask("config")
    assert config["supports_search"] != config["supports_group_request"]
    assert {"value", "name", "desc"} <= config["exchanges"][0].keys()
    assert {"name", "value"} <= config["symbols_types"][0].keys()
    assert config["supports_marks"] is config["supports_timescale_marks"] is False


async def test_time_is_a_number_of_seconds(ask):
    """The client reads it as JSON, then as a whole number."""
    assert NOW_S + 3 == await ask("time")


SYMBOL_INFO = {
    "name": str,
    "ticker": str,
    "description": str,
    "type": str,
    "session": str,
    "exchange": str,
    "listed_exchange": str,
    "timezone": str,
    "format": str,
    "minmov": int,
    "pricescale": int,
    "volume_precision": int,
    "has_intraday": bool,
    "has_daily": bool,
    "supported_resolutions": list,
    "intraday_multipliers": list,
}


async def test_a_symbol_is_all_that_a_chart_wants_to_know(ask):
    """A member `s` would mean an error."""
    found = await ask("symbols", symbol="BSE:RELIANCE", currencyCode="INR")
    assert "s" not in found
    assert SYMBOL_INFO.items() <= {n: type(value) for n, value in found.items()}.items()
    assert set(found["intraday_multipliers"]) <= set(found["supported_resolutions"])
    assert found == await ask("symbols", symbol=found["ticker"])


async def test_search_answers_a_list(ask):
    """As the client asks: upper case, a limit of 30, empty choices."""
    found = await ask("search", query="RELI", type="", exchange="", limit=30)
    assert {"symbol", "full_name", "description", "exchange", "ticker", "type"} <= (
        found[0].keys()
    )
    assert [] == await ask("search", query="NOTHING", type="", exchange="", limit=30)
    assert found == await ask(
        "search", query="RELI", type="stock", exchange="BSE", limit=30
    )


async def test_bars_are_columns_of_one_length_in_order(ask):
    """Numbers, not text; times in whole seconds, `from` included and `to` not; the bar under way is the last."""
    found = await ask("history", **history())
    assert "ok" == found["s"]
    assert [OPEN_S, OPEN_S + 60, OPEN_S + 120, NOW_S] == found["t"]
    for column in "ohlcv":
        assert len(found["t"]) == len(found[column])
        assert all(isinstance(value, int | float) for value in found[column])
    for o, h, low, c in zip(*(found[n] for n in "ohlc"), strict=True):
        assert low <= min(o, c) <= max(o, c) <= h
    edge = await ask("history", **history(**{"from": OPEN_S, "to": OPEN_S + 60}))
    assert [OPEN_S] == edge["t"]


async def test_countback_comes_before_from(ask):
    """The client's pulse: the last two bars, whatever `from` says."""
    found = await ask("history", **history(countback=2, **{"from": NOW_S}))
    assert [OPEN_S + 120, NOW_S] == found["t"]
    one = await ask("history", **history(countback=1, to=OPEN_S + 60))
    assert [OPEN_S] == one["t"]


async def test_a_day_stands_at_midnight_utc_of_its_date(ask):
    """And the client's pulse of ten days up to now holds today."""
    found = await ask(
        "history", **history("1D", countback=2, **{"from": NOW_S - 10 * DAY_S})
    )
    assert [OPEN_S // DAY_S * DAY_S] == found["t"]
    assert found["t"] == (await ask("history", **history("D", **{"from": 0})))["t"]


async def test_an_empty_range_says_where_to_look(ask):
    """`nextTime` is the nearest bar before the range; without one there is nothing older."""
    later = await ask("history", **history(**{"from": NOW_S + 60, "to": NOW_S + 120}))
    assert {"s": "no_data", "nextTime": NOW_S} == later
    earlier = await ask("history", **history(**{"from": OPEN_S - 120, "to": OPEN_S}))
    assert {"s": "no_data"} == earlier


async def test_quotes_come_one_for_each_name(ask):
    """With the name as it was sent; what is unknown is an error of its own."""
    found = await ask("quotes", symbols="BSE:RELIANCE,NOPE")
    assert "ok" == found["s"]
    good, bad = found["d"]
    assert ("ok", "BSE:RELIANCE") == (good["s"], good["n"])
    assert {
        *("ch", "chp", "short_name", "exchange", "description", "lp"),
        *("open_price", "high_price", "low_price", "prev_close_price", "volume"),
    } <= good["v"].keys()
    assert ("error", "NOPE") == (bad["s"], bad["n"])


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("symbols", {"symbol": "NOPE"}),
        ("history", history(symbol="NOPE")),
        ("history", history("7")),
        ("history", {"symbol": "RELIANCE"}),
        ("quotes", {"symbols": ","}),
        ("search", {"limit": "x"}),
        ("marks", {"symbol": "RELIANCE"}),
    ],
)
async def test_every_error_is_one_to_the_client(ask, path, params):
    """It looks for `s`, and shows `errmsg`."""
    found = await ask(path, **params)
    assert "error" == found["s"]
    assert isinstance(found["errmsg"], str)
    assert found["errmsg"]


async def test_an_outage_is_one_too(make_app, client_of):
    """The store away: bars can't be read."""
    async with client_of(make_app()) as client:
        found = (await client.get("/udf/history", params=history())).json()
    assert ("error", "The store is away.", 503) == (
        found["s"],
        found["errmsg"],
        found["status"],
    )
