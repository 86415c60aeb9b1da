"""Candles out of a real store, at the route and for charts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bse_gateway.candle_reader import Bar
from bse_gateway.rest.candles import candle_json
from bse_gateway.rest.replies.candles import CandleReply, CandlesReply
from bse_gateway.rest.udf.replies import UdfBarsReply, UdfNoDataReply
from bse_shared.quotes.candles import DAY_MS, MINUTE_MS, Candle, CandleFlag
from bse_shared.redis_edge.market_history import MarketHistory
from bse_shared.redis_edge.store import MarketStore
from bse_shared.testing.builders import RELIANCE, a_quote
from bse_shared.testing.fake_clock import FakeClock


MIDNIGHT_MS = 1_795_285_800_000  # of the day of the quotes' last trade, in India
OPEN_MS = MIDNIGHT_MS + (9 * 60 + 15) * MINUTE_MS
FIRST = Candle(OPEN_MS, 100_00, 110_00, 95_05, 105_40, 1000)
GAP = Candle(OPEN_MS + MINUTE_MS, 105_00, 120_00, 105_00, 106_00, 10, CandleFlag.GAP)
LATER = Candle(OPEN_MS + 60 * MINUTE_MS, 107_00, 107_00, 90_00, 91_00, 7)
PATH = "/api/stock/RELIANCE/candles"


@pytest.fixture
async def history(redis):
    """Writes candles of RELIANCE as a fetcher does."""
    clock = FakeClock()
    lease = await MarketStore(redis, clock, 1).take_lease(0, "fetcher-1", 60_000, 0)
    history = MarketHistory(redis, clock, 1)

    async def write(minutes=(), days=()):
        assert await history.append_minutes(
            lease, [(RELIANCE.code, minute) for minute in minutes]
        )
        assert await history.set_days(lease, [(RELIANCE.code, day) for day in days])

    return write


@pytest.fixture
async def client(make_app, client_of, redis, market, history):
    """A client; RELIANCE has three minutes, and a day before."""
    market.report({RELIANCE.code: a_quote()})
    yesterday = FIRST._replace(start_ms=MIDNIGHT_MS - DAY_MS)
    await history([FIRST, GAP, LATER], [yesterday])
    async with client_of(make_app(redis)) as opened:
        yield opened


async def asked(client, **params):
    """The answer, as its model."""
    answer = await client.get(PATH, params=params)
    assert 200 == answer.status_code, answer.text
    return CandlesReply.model_validate_json(answer.content)


async def test_minutes_of_the_last_trading_day_come_in_rupees(client):
    """With their gaps."""
    answer = await client.get(PATH)
    assert (
        b'{"start_ms":%d,"open":100.00,"high":110.00,"low":95.05,"close":105.40,'
        b'"volume":1000,"gap":false,"filled":false,"complete":true}' % OPEN_MS
    ) in answer.content
    found = CandlesReply.model_validate_json(answer.content)
    assert [False, True, False] == [candle.gap for candle in found.candles]
    assert (MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS) == (found.from_ms, found.to_ms)


PAISE = st.integers(0, 10**9)


@given(
    prices=st.tuples(PAISE, PAISE, PAISE, PAISE),
    volume=st.integers(0, 2**50),
    flags=st.integers(0, 3),
    complete=st.booleans(),
)
def test_a_candle_is_written_exactly(prices, volume, flags, complete):
    """Each price with its two decimals, each flag for itself."""
    candle = Candle(OPEN_MS, *prices, volume, flags)
    told = CandleReply.model_validate_json(candle_json(Bar(candle, complete)))
    assert [Decimal(each).scaleb(-2) for each in prices] == [
        told.open,
        told.high,
        told.low,
        told.close,
    ]
    assert (OPEN_MS, volume, complete) == (told.start_ms, told.volume, told.complete)
    assert (bool(flags & 1), bool(flags & 2)) == (told.gap, told.filled)


@pytest.mark.parametrize(
    ("interval", "starts", "gaps"),
    [
        ("5m", [OPEN_MS, LATER.start_ms], [True, False]),
        ("15m", [OPEN_MS, LATER.start_ms], [True, False]),
        ("1h", [OPEN_MS, LATER.start_ms], [True, False]),
    ],
)
async def test_longer_candles_are_made_of_minutes(client, interval, starts, gaps):
    """A gap in one minute is a gap in the whole."""
    found = await asked(client, interval=interval)
    assert starts == [candle.start_ms for candle in found.candles]
    assert gaps == [candle.gap for candle in found.candles]
    assert 1010 == found.candles[0].volume


async def test_the_candle_under_way_says_so(client, market):
    """Until its time is over."""
    market.at_ms = LATER.start_ms + 4 * MINUTE_MS
    found = await asked(client, interval="5m")
    assert [True, False] == [candle.complete for candle in found.candles]


async def test_the_minute_under_way_is_told_until_the_store_has_it(
    client, market, history
):
    """What this gateway saw of it: at once, and not to be taken as the whole."""
    now_ms = LATER.start_ms + 2 * MINUTE_MS
    for seconds, price in ((0, 91_00), (10, 91_20), (20, 93_40)):
        market.at_ms = now_ms + seconds * 1000
        trade = {"exchange_time_ms": market.at_ms, "volume": 396_428 + seconds}
        market.report({RELIANCE.code: a_quote(price, **trade)})
    *kept, under_way = (await asked(client)).candles
    assert [True] * 3 == [candle.complete for candle in kept]
    assert (now_ms, 91.2, 93.4, 20, False) == (
        under_way.start_ms,
        float(under_way.open),
        float(under_way.close),
        under_way.volume,
        under_way.complete,
    )
    hour = (await asked(client, interval="1h")).candles[-1]
    assert (27, False) == (hour.volume, hour.complete)

    await history([LATER._replace(start_ms=now_ms, close_paise=1_00)])
    *_, before, stored = (await asked(client)).candles
    assert LATER.start_ms == before.start_ms  # not twice
    assert (now_ms, 1, True) == (
        stored.start_ms,
        float(stored.close),
        stored.complete,
    )


async def test_days_end_with_the_one_under_way(client, history):
    """It is read off the quote, until the fetcher has kept it."""
    found = await asked(client, interval="1d")
    assert [(MIDNIGHT_MS - DAY_MS, True), (MIDNIGHT_MS, False)] == [
        (candle.start_ms, candle.complete) for candle in found.candles
    ]
    assert (2901.35, 396_428) == (
        float(found.candles[1].close),
        found.candles[1].volume,
    )
    await history(days=[FIRST._replace(start_ms=MIDNIGHT_MS)])
    kept = await asked(client, interval="1d")
    assert [True, True] == [candle.complete for candle in kept.candles]


async def test_a_span_includes_its_beginning_and_not_its_end(client):
    """So that spans join without a candle twice."""
    found = await asked(client, **{"from": OPEN_MS, "to": GAP.start_ms})
    assert [OPEN_MS] == [candle.start_ms for candle in found.candles]
    rest = await asked(client, **{"from": GAP.start_ms, "to": LATER.start_ms + 1})
    assert [GAP.start_ms, LATER.start_ms] == [c.start_ms for c in rest.candles]
    assert [] == (await asked(client, **{"from": LATER.start_ms, "to": 5})).candles


async def test_too_long_a_span_is_cut_at_its_beginning(client):
    """And says so."""
    found = await asked(client, **{"from": 0, "to": 4_102_444_800_000})
    assert found.cut
    assert 3 == len(found.candles)
    assert not (await asked(client)).cut


async def test_an_answer_that_is_held_is_not_sent_again(client, history):
    """Until a candle is added."""
    first = await client.get(PATH)
    condition = {"if-none-match": first.headers["etag"]}
    same = await client.get(PATH, headers=condition)
    await history([LATER._replace(start_ms=LATER.start_ms + MINUTE_MS)])
    more = await client.get(PATH, headers=condition)
    assert [(304, 0), 200] == [(same.status_code, len(same.content)), more.status_code]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/stock/XX/candles", 404),
        ("/api/stock/TCS/candles", 200),
        (f"{PATH}?interval=2m", 422),
        (f"{PATH}?from=-1", 422),
        (f"{PATH}?to=4102444800001", 422),
    ],
)
async def test_mistakes_are_problems(client, path, status):
    """A scrip without candles is none."""
    answer = await client.get(path)
    assert status == answer.status_code
    assert status == 200 or answer.json()["status"] == status


async def test_with_the_store_away_there_are_no_candles(make_app, client_of):
    """And nothing is made up."""
    async with client_of(make_app()) as client:
        for path in (PATH, "/udf/history?symbol=RELIANCE&resolution=1&to=9"):
            answer = await client.get(path)
            assert (503, "/problems/store-unavailable") == (
                answer.status_code,
                answer.json()["type"],
            )


async def bars(client, **params):
    """What a chart is told."""
    answer = await client.get("/udf/history", params={"symbol": "RELIANCE"} | params)
    return UdfBarsReply.model_validate_json(answer.content)


async def test_charts_get_minutes_and_longer_bars(client):
    """Times in seconds, prices in rupees."""
    end_s = MIDNIGHT_MS // 1000 + 86_400
    span = {"from": OPEN_MS // 1000, "to": end_s}
    minutes = await bars(client, resolution="1", **span)
    assert [c.start_ms // 1000 for c in (FIRST, GAP, LATER)] == minutes.t
    assert [1000, 10, 7] == minutes.v
    assert [105.4, 106, 91] == [float(each) for each in minutes.c]
    hours = await bars(client, resolution="60", **span)
    assert [1010, 7] == hours.v
    last = await bars(
        client, resolution="1", **{"from": end_s, "to": end_s}, countback=2
    )
    assert minutes.t[-2:] == last.t


async def test_a_day_bar_stands_at_midnight_utc_of_its_date(client):
    """Else a chart would show it a day early."""
    found = await bars(client, resolution="1D", **{"from": 0, "to": 2**40})
    assert [0, 0] == [at_s % 86_400 for at_s in found.t]
    assert (MIDNIGHT_MS + 19_800_000) // 1000 == found.t[-1]


async def test_an_empty_span_says_where_the_next_bar_is(client):
    """For charts that ask by span alone."""
    params = {
        "symbol": "RELIANCE",
        "resolution": "1",
        "from": LATER.start_ms // 1000 + 60,
    }
    answer = await client.get("/udf/history", params=params | {"to": 2**40})
    found = UdfNoDataReply.model_validate_json(answer.content)
    assert LATER.start_ms // 1000 == found.nextTime
    none = await client.get("/udf/history?symbol=TCS&resolution=1&to=9")
    assert {"s": "no_data"} == none.json()
