"""What every answer gets."""

import pytest
from fastapi.responses import Response, StreamingResponse
from structlog.testing import capture_logs


async def test_a_sane_request_id_comes_back(client):
    """A caller can follow its request through the logs."""
    answer = await client.get("/api/market/status", headers={"x-request-id": "abc-1.2"})
    assert "abc-1.2" == answer.headers["x-request-id"]


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "é", "a;b"])
async def test_another_request_id_is_replaced(client, sent):
    """Nothing of the caller's choosing gets into logs and headers unchecked."""
    headers = {b"x-request-id": sent.encode()}
    answer = await client.get("/api/market/status", headers=headers)
    assert sent != answer.headers["x-request-id"]
    assert 16 == len(answer.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/api/market/status", "/nowhere"])
async def test_security_headers_are_on_every_answer(client, path):
    """Errors included; what says nothing of caching is not stored."""
    headers = (await client.get(path)).headers
    assert "nosniff" == headers["x-content-type-options"]
    assert (
        "default-src 'none'; frame-ancestors 'none'"
        == (headers["content-security-policy"])
    )
    assert "no-store" == headers["cache-control"]
    assert headers["server-timing"].startswith("app;dur=")


@pytest.mark.parametrize(
    ("path", "status", "level"),
    [("/api/market/status", 200, "debug"), ("/api/stock/XX", 404, "info")],
)
async def test_one_canonical_line_a_request(client, path, status, level):
    """Good answers only when somebody wants to see them, errors always."""
    with capture_logs() as lines:
        answer = await client.get(path)
    (line,) = lines
    assert ("gateway.request", level, status, path) == (
        line["event"],
        line["log_level"],
        line["status"],
        line["path"],
    )
    assert answer.headers["x-request-id"] == line["request_id"]


async def test_requests_are_counted_by_template_not_by_path(client, registry):
    """A caller can't make new series by making up paths."""
    for path in ("/api/stock/XX", "/api/stock/YY", "/made/up", "/made/up2"):
        await client.get(path)
    for route in ("/api/stock/{symbol}", "unmatched"):
        assert 2 == registry.get_sample_value(
            "gateway_requests_total", {"route": route, "status": "404"}
        )


async def test_a_bug_is_a_problem_without_detail(make_app, client_of):
    """The log knows, the world learns the request id."""
    app = make_app()

    @app.get("/bug")
    async def bug():
        raise RuntimeError("password is hunter2")

    with capture_logs() as lines:
        async with client_of(app) as client:
            answer = await client.get("/bug")

    assert (500, "/problems/internal") == (answer.status_code, answer.json()["type"])
    assert "hunter2" not in answer.text
    assert ["gateway.bug", "gateway.request"] == [line["event"] for line in lines]
    assert "nosniff" == answer.headers["x-content-type-options"]


@pytest.mark.parametrize(("path", "level"), [("/readyz", "debug"), ("/x", "warning")])
async def test_a_probe_that_says_no_is_no_warning(make_app, client_of, path, level):
    """It is asked each second, and whoever asks tells of it."""
    app = make_app()

    @app.get(path)
    async def not_ready():
        return Response(status_code=503)

    with capture_logs() as lines:
        async with client_of(app) as client:
            await client.get(path)

    assert [level] == [line["log_level"] for line in lines]


async def test_a_bug_amid_an_answer_cuts_it(make_app, client_of):
    """Half an answer must not look like a whole one."""
    app = make_app()

    async def halves():
        yield b"half"
        raise RuntimeError("the other half")

    @app.get("/half")
    async def half():
        return StreamingResponse(halves())

    with capture_logs() as lines:
        async with client_of(app) as client:
            with pytest.raises(RuntimeError, match="the other half"):
                await client.get("/half")
    assert ["gateway.bug", "gateway.request"] == [line["event"] for line in lines]


@pytest.mark.parametrize(
    ("origins", "allowed"), [("", None), ("https://a.example", "https://a.example")]
)
async def test_browsers_of_other_sites_are_let_in_by_list(
    make_app, client_of, origins, allowed
):
    """Nobody by default."""
    async with client_of(make_app(cors_origins=origins)) as client:
        answer = await client.get(
            "/api/market/status", headers={"origin": "https://a.example"}
        )
        other = await client.get(
            "/api/market/status", headers={"origin": "https://evil.example"}
        )
    assert allowed == answer.headers.get("access-control-allow-origin")
    assert other.headers.get("access-control-allow-origin") is None
