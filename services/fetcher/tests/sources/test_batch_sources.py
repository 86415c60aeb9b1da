"""Yahoo and the broker against the stand-in's doors: one suite for every batch source."""

import aiohttp
import pytest

from bse_fetcher.source_settings import KiteSettings, YahooSettings
from bse_fetcher.sources.errors import (
    ExchangeUnavailable,
    Forbidden,
    RateLimited,
    Unauthorized,
)
from bse_fetcher.sources.kite.source import KiteSource
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.quotes.quote import NUMBER
from bse_shared.testing.builders import INFY, RELIANCE, TCS


def yahoo(session, url):
    """Yahoo at the stand-in."""
    return YahooSource(
        session, YahooSettings(base_url=url, cookie_url=f"{url}/yahoo-cookie")
    )


def kite(session, url):
    """The broker at the stand-in, with an account's key."""
    return KiteSource(
        session, KiteSettings(base_url=url, api_key="key", access_token="access")
    )


@pytest.fixture(params=[yahoo, kite])
async def source(request, exchange):
    """Each batch source, asking the stand-in."""
    async with exchange.serving(), aiohttp.ClientSession() as session:
        yield request.param(session, exchange.url)


async def test_a_batch_tells_the_true_prices(source, exchange):
    """Those that were asked for, and no others."""
    wanted = [RELIANCE, TCS, INFY._replace(code=7, symbol="NOBODY")]
    answer = source.read(await source.ask(wanted), wanted)

    prices = exchange.prices()
    assert {each.code: prices[each.code] for each in wanted[:2]} == {
        code: fields[NUMBER["last_paise"]] for code, fields in answer.seen.items()
    }


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "forbidden"}, Forbidden),
        ({"kind": "too_many_requests"}, RateLimited),
        ({"kind": "server_error"}, ExchangeUnavailable),
        ({"kind": "down"}, ExchangeUnavailable),
    ],
)
async def test_a_refusal_is_a_typed_error(source, exchange, fault, error):
    """Whatever the door does."""
    await exchange.arm(**fault)

    with pytest.raises(error):
        await source.ask([RELIANCE])


async def test_an_old_crumb_is_replaced_once(exchange):
    """Yahoo forgets; a crumb that is refused again is an error and no endless loop."""
    async with exchange.serving(), aiohttp.ClientSession() as session:
        source = yahoo(session, exchange.url)
        await source.ask([RELIANCE])
        source._crumb = "old"
        await source.ask([RELIANCE])
        assert 2 * 2 == exchange.asked("yahoo crumb")
        assert 3 == exchange.asked("yahoo quotes")

        source._new_crumb = _a_wrong_crumb
        source._crumb = "old"
        with pytest.raises(Unauthorized):
            await source.ask([RELIANCE])


async def _a_wrong_crumb():
    return "wrong"


async def test_a_broker_without_a_key_is_forbidden(exchange):
    """The key is a setting; without one there is nothing to ask."""
    async with exchange.serving(), aiohttp.ClientSession() as session:
        source = KiteSource(session, KiteSettings(base_url=exchange.url))
        with pytest.raises(Forbidden):
            await source.ask([RELIANCE])
