"""The body limit."""

import pytest

from bse_gateway.rest.problems import Kind
from bse_shared.testing.builders import TCS


async def chunks(*sizes):
    """A body of which nobody knows the length before."""
    for size in sizes:
        yield b" " * size


@pytest.mark.parametrize("sizes", [(70_000,), (40_000, 40_000)])
async def test_a_body_without_a_declared_length_is_cut_off_too(client, sizes):
    """What counts is what arrives."""
    answer = await client.post(
        "/api/subscribe",
        content=chunks(*sizes),
        headers={"content-type": "application/json"},
    )
    assert (413, Kind.BODY_TOO_LARGE.type_uri) == (
        answer.status_code,
        answer.json()["type"],
    )


async def test_a_body_at_the_limit_is_read(make_app, client_of, redis):
    """The limit itself is allowed."""
    body = b'{"symbols":["TCS"]}'.ljust(1_024)
    async with client_of(make_app(redis, body_bytes_max=1_024)) as client:
        answer = await client.post(
            "/api/subscribe", content=body, headers={"content-type": "application/json"}
        )
    assert [TCS.code] == [each["code"] for each in answer.json()["symbols"]]
