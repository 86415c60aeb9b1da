"""Search and instrument pages."""

import json

import pytest

from bse_gateway.rest.replies.instruments import (
    InstrumentsReply,
    OneInstrumentReply,
    SearchReply,
)
from bse_shared.sessions.calendar import builtin_calendar_file, parse_calendar


async def test_scrips_are_found_by_what_a_person_types(client):
    """Symbol, name, code or ISIN."""
    for text in ("tcs", "Tata Cons", "532540", "INE467B01029"):
        answer = await client.get("/api/search", params={"q": text})
        found = SearchReply.model_validate_json(answer.content)
        assert ["TCS"] == [each.symbol for each in found.instruments], text


async def test_all_scrips_come_page_by_page(client):
    """Until `next` is null."""
    seen, after = [], 0
    while after is not None:
        answer = await client.get(
            "/api/instruments", params={"after": after, "limit": 2}
        )
        page = InstrumentsReply.model_validate_json(answer.content)
        assert 3 == page.total
        seen += [each.code for each in page.instruments]
        after = page.next
    assert [500209, 500325, 532540] == seen


async def test_one_scrip_says_who_it_is(client):
    """By any identifier."""
    answer = await client.get("/api/instruments/500325")
    found = OneInstrumentReply.model_validate_json(answer.content)
    assert ("RELIANCE", "A", []) == (found.symbol, found.group, found.indices)


@pytest.mark.parametrize(
    ("listed", "auction_phase", "told"),
    [
        (None, "open", (None, "open")),
        (None, "", (None, "open")),
        (None, "closing_auction", (None, None)),
        ([500325], "closing_auction", (True, "closing_auction")),
        ([532540], "closing_auction", (False, "open")),
        ([], "open", (False, "open")),
    ],
)
async def test_one_scrip_says_in_which_phase_it_is(
    door_without_store, client_of, market, listed, auction_phase, told
):
    """Its own, where the calendar tells which scrips close by auction."""
    facts = json.loads(builtin_calendar_file()) | {"closing_auction_scrips": listed}
    door = door_without_store()
    door.calendar.calendar = parse_calendar(facts)
    market.hear(closing_auction_phase=auction_phase)
    async with client_of(door.app) as client:
        answer = await client.get("/api/instruments/RELIANCE")
    found = OneInstrumentReply.model_validate_json(answer.content)
    assert told == (found.closing_auction, found.phase)


async def test_no_phase_is_told_while_no_fetcher_was_heard(client, market):
    """Who it is, is known anyhow."""
    market.feed = None
    answer = await client.get("/api/instruments/RELIANCE")
    found = OneInstrumentReply.model_validate_json(answer.content)
    assert ("RELIANCE", None) == (found.symbol, found.phase)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/search", 422),
        ("/api/search?q=", 422),
        ("/api/search?q=" + "x" * 61, 422),
        ("/api/search?q=a&limit=51", 422),
        ("/api/instruments?after=-1", 422),
        ("/api/instruments?after=99999999999999999999", 422),
        ("/api/instruments?limit=1001", 422),
        ("/api/instruments?selection=group:NONE", 404),
        ("/api/instruments/XX", 404),
        ("/api/instruments/%00", 422),
    ],
)
async def test_mistakes_are_problems(client, path, status):
    """Typed."""
    answer = await client.get(path)
    assert (status, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
