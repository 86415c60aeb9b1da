"""The file of tick sizes, and what a price off its tick becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bse_fetcher.tick_source import TickSource, parse_ticks
from bse_shared.quotes.quote import Condition


RELIANCE = 500325


async def test_a_changed_file_is_read_again(tmp_path):
    """Once for each change; other columns are passed over."""
    path = tmp_path / "ticks.csv"
    path.write_text("name,code,tick_paise\nx,500325,5\ny,532540,1\n")
    source = TickSource(str(path))
    with capture_logs() as lines:
        for _ in range(2):
            await source.reload()
        assert {500325: 5, 532540: 1} == source.ticks
        path.write_text("code,tick_paise\n500325,10\n")
        await source.reload()

    assert {500325: 10} == source.ticks
    assert ["ticks.read"] * 2 == [line["event"] for line in lines]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"code,tick\n1,5\n",
        b"code,tick_paise\n1,0\n",
        b"code,tick_paise\n1,-5\n",
        b"code,tick_paise\n1,5.5\n",
        b"code,tick_paise\n1,999999999999\n",
        b"code,tick_paise\nRELIANCE,5\n",
        b"code,tick_paise\n1\n",
        b"\xff\xfe",
    ],
)
async def test_a_wrong_file_leaves_what_was_known(tmp_path, broken):
    """It is told once."""
    path = tmp_path / "ticks.csv"
    path.write_text("code,tick_paise\n500325,5\n")
    source = TickSource(str(path))
    await source.reload()
    path.write_bytes(broken)
    with capture_logs() as lines:
        for _ in range(3):
            await source.reload()

    assert {500325: 5} == source.ticks
    assert ["ticks.not_read"] == [line["event"] for line in lines]


async def test_without_a_file_nothing_is_known():
    """Nor is anything read."""
    source = TickSource("")
    await source.reload()

    assert {} == source.ticks


@given(st.binary(max_size=200))
def test_anything_else_is_an_error_or_ticks(data):
    """Never another exception."""
    try:
        ticks = parse_ticks(data)
    except ValueError:
        return
    assert all(0 < tick <= 10_000 for tick in ticks.values())


async def test_a_price_off_its_tick_is_stored_as_suspect(fetching, exchange):
    """And no more when it is on it again."""
    async with fetching() as hire:
        fetcher = hire()
        await fetcher.poll()
        price = exchange.prices()[RELIANCE]
        fetcher.publisher.scrutiny.ticks = {RELIANCE: price * 2}
        exchange.trade()
        await fetcher.poll()
        quote = (await fetcher.held())[RELIANCE].quote
        assert exchange.prices()[RELIANCE] == quote.last_paise
        assert Condition.SUSPECT == quote.condition
        assert {RELIANCE: "off_tick"} == fetcher.publisher.scrutiny.suspects()

        fetcher.publisher.scrutiny.ticks = {RELIANCE: 1}
        exchange.trade()
        await fetcher.poll()
        assert Condition.GOOD == (await fetcher.held())[RELIANCE].quote.condition
