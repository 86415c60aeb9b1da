"""What a hostile exchange does, and what becomes of it."""

import asyncio

import aiohttp
import pytest
from structlog.testing import capture_logs

from bse_fetcher.source_settings import YahooSettings
from bse_fetcher.sources.errors import ExchangeError
from bse_fetcher.sources.http import HttpDoor
from bse_fetcher.sources.retries import MOMENTARY
from bse_fetcher.sources.yahoo.source import YahooSource
from bse_shared.quotes.quote import Source


def backup_of(fetcher, exchange):
    """Yahoo as the backup of the poller."""
    urls = {"base_url": exchange.url, "cookie_url": f"{exchange.url}/yahoo-cookie"}
    return fetcher.batches(
        YahooSource(fetcher.http, YahooSettings(**urls)),
        is_wanted=lambda: fetcher.poller.is_late(1.5),
    )


async def test_a_fault_of_all_rows_is_one_line_in_the_log(fetching, exchange):
    """Four thousand prices that became doubtful with one answer are one event, with a count and some names."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        await exchange.arm(
            path="GetMktData", kind="shifted_price", percent=60, rows="all"
        )
        exchange.trade()
        with capture_logs() as logs:
            await fetcher.poll()

        assert 40 == len(fetcher.publisher.scrutiny.suspects())
        assert 1 == sum(line["event"] == "fetcher.price_suspect" for line in logs)


async def test_a_primary_that_only_contradicts_itself_is_replaced(fetching, exchange):
    """All its rows are from the past: it confirms nothing, so it fails, and the backup steps in."""
    async with fetching() as hire:
        fetcher = hire()
        backup = backup_of(fetcher, exchange)
        await fetcher.poll()
        await exchange.arm(path="GetMktData", kind="clock_back", hours=3)
        for _ in range(3):
            exchange.trade()
            await fetcher.poll()
            await backup.ask_due()

        assert "failing" == fetcher.feed.state(fetcher.session)
        held = await fetcher.held()
        assert {Source.YAHOO} == {image.quote.source for image in held.values()}


async def test_one_that_leads_again_gives_the_primary_its_time(fetching, exchange):
    """Its own last answer was minutes ago, another's was a moment ago: nothing is late yet."""
    async with fetching() as hire:
        first, second = hire("fetcher-1"), hire("fetcher-2")
        backup = backup_of(first, exchange)
        await first.poll()
        await first.terms.release()
        await second.poll()
        first.clock.advance(60_000)
        await second.terms.release()
        await first.terms.hold()
        await backup.ask_due()
        await first.poller.step()

        assert 0 == exchange.asked("yahoo quotes")


async def test_a_wrong_question_is_not_asked_again():
    """A 400 says that the question is wrong: the same question a moment later will be as wrong."""

    async def refuse(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, aiohttp.ClientSession() as session:
        door = HttpDoor(session, url, {}, 5, 1000)
        with pytest.raises(ExchangeError) as caught:
            await door.get("/quote", {})

    assert caught.value.kind not in MOMENTARY


async def test_a_field_that_stays_away_is_one_line_in_the_log(fetching, exchange):
    """It is away in each answer, all day; every time is counted, and another field is another line."""
    async with fetching() as hire:
        fetcher = hire()
        fault = {"path": "GetMktData", "kind": "missing_field", "rows": "all"}
        await exchange.arm(**fault, field="trd_vol")
        with capture_logs() as logs:
            for _ in range(3):
                exchange.trade()
                await fetcher.poll()
            await exchange.heal()
            await exchange.arm(**fault, field="nooftrd")
            await fetcher.poll()

        told = [line for line in logs if line["event"] == "fetcher.schema_drift"]
        assert [["missing:trd_vol"], ["missing:nooftrd"]] == [
            [name for name in line if name.startswith("missing")] for line in told
        ]
        assert 3 * 40 == fetcher.count("fetcher_schema_drift", what="missing:trd_vol")
