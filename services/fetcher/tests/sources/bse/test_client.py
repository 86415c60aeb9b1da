"""The client against a real little server that answers whatever bytes it is told to."""

import asyncio
import gzip
import json
import zlib
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from bse_fetcher.source_settings import BseSettings
from bse_fetcher.sources.bse.client import BseSource
from bse_fetcher.sources.bse.market_list import read_market
from bse_fetcher.sources.errors import (
    ExchangeError,
    ExchangeUnavailable,
    Forbidden,
    MalformedAnswer,
    RateLimited,
)
from bse_fetcher.sources.http import RETRY_AFTER_MAX_S, RETRY_AFTER_S


OK = b"HTTP/1.1 200 OK\r\n"
ROW = {
    "scrip_cd": 500325,
    "scripname": "RELIANCE",
    "LONG_NAME": "Reliance Industries Ltd",
    "scrip_grp": "A",
    "index_code": "|S&P BSE 500|",
    "openrate": 2890.0,
    "highrate": 2910.5,
    "lowrate": 2885.05,
    "ltradert": 2901.35,
    "prevdayclose": 2888.4,
    "trd_val": 1531.25,
    "trd_vol": 101_527,
    "nooftrd": 5_827,
    "dt_tm": "2023-10-23T13:02:34",
}
BODY = json.dumps({"Table": [ROW]}).encode()
LIMIT = 10_000


def answer(body=BODY, *headers, status="200 OK"):
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class LittleServer:
    """Answers each request with `says` (None: never), and may hang up then. `heads` are the requests."""

    def __init__(self):
        self.says = answer()
        self.aborts = False
        self.hangs_up = False
        self.heads = []
        self.connections = 0
        self._writers = []

    async def serve(self, reader, writer):
        """One connection, kept alive while the client wants it."""
        self.connections += 1
        self._writers.append(writer)
        while head := await self._head(reader):
            self.heads.append(head.decode())
            if self.aborts:
                writer.transport.abort()
            elif self.says is not None:
                writer.write(self.says)
                if self.hangs_up:
                    writer.close()

    async def _head(self, reader):
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return b""

    async def close(self):
        """Hang up on everybody."""
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def asking(end="", **settings):
    """A client, and the server that it asks."""
    little = LittleServer()
    server = await asyncio.start_server(little.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wanted = {
        "base_url": f"http://127.0.0.1:{port}{end}",
        "answer_bytes_max": LIMIT,
        **settings,
    }
    async with server, aiohttp.ClientSession() as session:
        yield BseSource(session, BseSettings(**wanted)), little
        await little.close()


async def the_error(says, *, hangs_up=False, **settings):
    """What the client raises for these bytes."""
    async with asking(**settings) as (client, server):
        server.says, server.hangs_up = says, hangs_up
        with pytest.raises(ExchangeError) as caught:
            await client.ask_market()
        return caught.value


def headers_of(head):
    """The header lines of a request, by lower-case name."""
    lines = head.split("\r\n")[1:]
    return {
        name.lower(): text
        for name, _, text in (line.partition(": ") for line in lines)
        if name
    }


async def test_the_body_comes_as_it_was_sent():
    """Bytes, not text: reading is somebody else's."""
    async with asking() as (client, server):
        server.says = answer(b"\xff\x00 anything")

        assert b"\xff\x00 anything" == await client.get("/", {})


async def test_the_measured_header_set_is_sent():
    """BSE refuses a request that lacks one of these."""
    async with asking(extra_headers={"Sec-Fetch-Site": "same-site"}) as (client, it):
        await client.ask_market()

    sent = headers_of(it.heads[0])
    assert {
        "user-agent": "bse-quotes/0.1",
        "accept": "application/json, text/plain, */*",
        "accept-language": "en-US,en;q=0.5",
        "accept-encoding": "gzip, deflate",
        "origin": "https://www.bseindia.com",
        "referer": "https://www.bseindia.com/",
        "sec-fetch-site": "same-site",
    }.items() <= sent.items()


@pytest.mark.parametrize(
    ("ask", "path", "query"),
    [
        (
            BseSource.ask_market,
            "/BseIndiaAPI/api/GetMktData/w",
            {"ordcol": "TT", "strType": "AllMkt", "strfilter": "All"},
        ),
        (
            BseSource.ask_master,
            "/BseIndiaAPI/api/ListofScripData/w",
            {
                "Group": "",
                "Scripcode": "",
                "industry": "",
                "segment": "Equity",
                "status": "Active",
            },
        ),
    ],
)
async def test_the_documented_addresses_are_asked(ask, path, query):
    """Paths and queries, also where the base URL ends in a slash."""
    async with asking(end="/") as (client, server):
        await ask(client)

    target = urlsplit(server.heads[0].split(" ")[1])
    assert path == target.path
    assert query == dict(parse_qsl(target.query, keep_blank_values=True))


async def test_one_connection_serves_many_polls():
    """A handshake per poll would be rude and slow."""
    async with asking() as (client, server):
        for _ in range(3):
            await client.ask_market()

        assert 1 == server.connections


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        ("403 Forbidden", "forbidden", Forbidden),
        ("404 Not Found", "not_found", ExchangeUnavailable),
        ("302 Found", "redirected", ExchangeUnavailable),
        ("301 Moved Permanently", "redirected", ExchangeUnavailable),
        ("500 Internal Server Error", "server_error", ExchangeUnavailable),
        ("503 Service Unavailable", "server_error", ExchangeUnavailable),
        ("400 Bad Request", "refused", ExchangeUnavailable),
        ("204 No Content", "server_error", ExchangeUnavailable),
    ],
)
async def test_a_refusal_is_the_error_of_its_status(status, kind, error):
    """Whatever the page says; a redirect means a refused session and is not followed."""
    page = answer(b"<html>", "Location: /members/showinterest.aspx", status=status)
    async with asking() as (client, server):
        server.says = page if "204" not in status else answer(b"", status=status)
        with pytest.raises(error) as caught:
            await client.ask_market()

    assert kind == caught.value.kind
    assert 1 == len(server.heads)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("7", 7),
        ("0", 1),
        ("99999999999999", RETRY_AFTER_MAX_S),
        ("9" * 5000, RETRY_AFTER_MAX_S),
        ("", RETRY_AFTER_S),
        ("soon", RETRY_AFTER_S),
        ("-5", RETRY_AFTER_S),
        ("nan", RETRY_AFTER_S),
        ("inf", RETRY_AFTER_S),
        ("1e3", RETRY_AFTER_S),
        ("Wed, 30 Sep 2026 07:37:00 GMT", RETRY_AFTER_S),
    ],
)
async def test_a_429_says_how_long_to_wait(header, wait_s):
    """Seconds within bounds; what is no number of seconds gets the usual wait."""
    error = await the_error(
        answer(b"", f"Retry-After: {header}", status="429 Too Many Requests")
    )

    assert isinstance(error, RateLimited)
    assert wait_s == error.retry_after_s
    assert "rate_limited" == error.kind


async def test_a_429_without_a_word_gets_the_usual_wait():
    """The header is optional."""
    error = await the_error(answer(b"", status="429 Too Many Requests"))

    assert RETRY_AFTER_S == error.retry_after_s


@pytest.mark.parametrize("says", [None, OK + b"Content-Length: 100\r\n\r\n{"])
async def test_an_answer_that_does_not_end_is_a_timeout(says):
    """The deadline covers the whole answer, not the first byte."""
    error = await the_error(says, timeout_s=0.05)

    assert isinstance(error, ExchangeUnavailable)
    assert "timeout: no answer in 0.05 s" == str(error)


async def test_a_connection_that_is_reset_is_no_answer():
    """The server hangs up before any byte."""
    async with asking() as (client, server):
        server.aborts = True
        with pytest.raises(ExchangeUnavailable) as caught:
            await client.ask_market()

    assert "connection" == caught.value.kind


async def test_nobody_there_is_no_answer():
    """A refused connection is one typed error."""
    async with aiohttp.ClientSession() as session:
        client = BseSource(session, BseSettings(base_url="http://127.0.0.1:1"))
        with pytest.raises(ExchangeUnavailable) as caught:
            await client.ask_market()

    assert "connection" == caught.value.kind


BOMB = gzip.compress(b"0" * 50_000_000)


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (answer(b"x" * (LIMIT + 1)), "too_big"),
        (OK + b"\r\n" + b"x" * (LIMIT + 1), "too_big"),
        (answer(BOMB, "Content-Encoding: gzip"), "too_big"),
        (answer(zlib.compress(b"0" * 10**7), "Content-Encoding: deflate"), "too_big"),
        (OK + b"Content-Length: 100\r\n\r\n{", "truncated"),
        (answer(b"no gzip", "Content-Encoding: gzip"), "truncated"),
    ],
)
async def test_a_body_that_is_no_whole_answer_is_malformed(says, kind):
    """Too big, inflated or not, or not all there; a bomb is cut at the limit."""
    async with asking() as (client, server):
        server.says, server.hangs_up = says, True
        with pytest.raises(MalformedAnswer) as caught:
            await client.ask_market()

    assert kind == caught.value.kind


async def test_a_body_of_just_the_limit_passes():
    """The limit is inclusive, after inflating."""
    async with asking() as (client, server):
        server.says = answer(gzip.compress(b"x" * LIMIT), "Content-Encoding: gzip")

        assert LIMIT == len(await client.get("/", {}))


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_market_of_any_size_says_the_same_however_it_comes(encoding):
    """Read in pieces while it comes, or as a whole when it is there."""
    rows = [{**ROW, "scrip_cd": 500_000 + number} for number in range(3000)]
    body = json.dumps({"Table": rows}, separators=(",", ":")).encode()
    sent = body if encoding == "identity" else gzip.compress(body)
    async with asking(answer_bytes_max=len(body)) as (client, server):
        server.says = answer(sent, f"Content-Encoding: {encoding}")
        heard = (await client.ask_market()).read()

    assert 3000 == len(heard.seen)
    assert read_market(body) == heard


async def test_an_answer_that_breaks_off_leaves_no_trace():
    """Its first rows were read, and are forgotten with it."""
    rows = [{**ROW, "scrip_cd": 500_000 + number} for number in range(3000)]
    body = json.dumps({"Table": rows}, separators=(",", ":")).encode()
    async with asking(answer_bytes_max=len(body)) as (client, server):
        server.says, server.hangs_up = answer(body)[:-100], True
        with pytest.raises(MalformedAnswer):
            await client.ask_market()
        server.says, server.hangs_up = answer(body), False
        heard = (await client.ask_market()).read()

    assert read_market(body) == heard


@pytest.mark.parametrize(
    "says",
    [
        b"\x00\x01 no HTTP\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\n{}",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        OK + b"X-\x00\xff: \xff\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"X: " + b"x" * 100_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        answer(b"brotli", "Content-Encoding: br"),
        b"",
    ],
)
async def test_bytes_that_are_no_http_are_no_answer(says):
    """Whatever the library raises for it, callers see an ExchangeError."""
    error = await the_error(says, hangs_up=True)

    assert error.kind in {"connection", "truncated"}


async def test_after_every_error_the_next_answer_is_taken():
    """No failure spoils the session."""
    async with asking(timeout_s=0.3) as (client, server):
        for says in (None, answer(b"", status="403 Forbidden"), b"no HTTP\r\n\r\n"):
            server.says = says
            with pytest.raises(ExchangeError):
                await client.ask_market()
            server.says = answer()

            assert {500325} == (await client.ask_market()).read().seen.keys()
