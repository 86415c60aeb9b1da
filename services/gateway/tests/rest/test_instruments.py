"""Search and instrument pages."""

import pytest

from bse_gateway.rest.replies.instruments import (
    InstrumentReply,
    InstrumentsReply,
    SearchReply,
)


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
    found = InstrumentReply.model_validate_json(answer.content)
    assert ("RELIANCE", "A", []) == (found.symbol, found.group, found.indices)


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
