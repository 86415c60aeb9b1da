"""The short way for quotes: what needs nothing but memory is answered from the connection itself.

No routing, no middleware, no task: the answer is one piece of bytes (`lean_protocol` has the connection's side).
It answers callers who are known, granted and within their budget, and ask nothing unusual; every other request
is left to the application, which decides anew. So it never refuses, and no rule stands here alone.
"""

import gzip
import logging
from typing import Any
from urllib.parse import unquote, unquote_plus

import structlog

from bse_gateway.identifiers import Miss
from bse_gateway.identity.guard import Guard
from bse_gateway.metrics import GatewayMetrics
from bse_gateway.on_demand import OnDemand
from bse_gateway.rest.conditional import is_held
from bse_gateway.rest.envelope import (
    ON_EVERY_ANSWER,
    PATH_LOGGED_MAX,
    SANE_ID,
    RequestIds,
)
from bse_gateway.rest.negotiation import MSGPACK, media_type, takes_gzip
from bse_gateway.rest.quote_answers import CACHING, VARY, Answer, QuoteAnswers
from bse_gateway.rest.shapes import WHOLE_JSON, Shape, shape_of
from bse_shared.access.budgets import Spent
from bse_shared.pacing.clock import Clock
from bse_shared.quotes.modes import Mode


log = structlog.get_logger()

ONE, MANY = "/api/stock/{symbol}", "/api/stocks/batch"
COMPRESSED_FROM_BYTES = 1400
"""A smaller body fits one packet anyway."""
COMPRESSION_LEVEL = 1

_ONE_PREFIX = b"/api/stock/"
_MANY_PREFIX = b"/api/stocks/batch?symbols="
_MODES: dict[bytes, Mode | None] = {
    b"": None,
    **{f"mode={mode}".encode(): mode for mode in Mode},
}
"""What may follow the scrips in the address, and how much of a quote it asks for."""
_BEARER = b"Bearer "
_LEFT_TO_THE_APPLICATION = frozenset(
    {
        *(b"origin", b"range", b"content-length", b"transfer-encoding"),
        *(b"expect", b"upgrade"),
    }
)
Headers = dict[bytes, bytes]


class LeanDoor:
    """Answers or leaves it."""

    def __init__(
        self,
        answers: QuoteAnswers,
        on_demand: OnDemand,
        guard: Guard,
        metrics: GatewayMetrics,
        clock: Clock,
        ids: RequestIds,
        symbols_max: int,
    ):
        self._answers = answers
        self._on_demand = on_demand
        self._guard = guard
        self._metrics = metrics
        self._clock = clock
        self._ids = ids
        self._symbols_max = symbols_max
        self._says_all = logging.getLogger(__name__).isEnabledFor(logging.DEBUG)

    def answer(
        self,
        url: bytes,
        listed: list[tuple[bytes, bytes]],
        host: str,
        server_headers: bytes,
    ) -> bytes | None:
        """The whole answer to a GET as it goes over the wire; None: this is for the application.

        `listed` are the headers, names in lower case; `server_headers` stand first in the answer.
        """
        if url.startswith(_ONE_PREFIX):
            route = ONE
        elif url.startswith(_MANY_PREFIX):
            route = MANY
        else:
            return None
        began_ms = self._clock.monotonic_ms()
        headers: Headers = dict(listed)
        # A header that came twice may mean two things.
        if len(headers) != len(listed) or not headers.keys().isdisjoint(
            _LEFT_TO_THE_APPLICATION
        ):
            return None
        credential = _credential(headers)
        caller = None if credential == b"" else self._guard.recognise(credential)
        if caller is None or (caller.is_anonymous and b"x-forwarded-for" in headers):
            return None  # whose budget pays is for the application to find out
        found = self._found(route, url, headers)
        spent = self._guard.charge(caller, host) if found else None
        if found is None or (spent is not None and not spent.allowed):
            return None
        return self._written(
            route, url, headers, found, spent, began_ms, server_headers
        )

    def _found(self, route: str, url: bytes, headers: Headers) -> Answer | None:
        asked = _asked(route, url) if self._answers.ready else None
        if asked is None:
            return None
        text, shape = asked[0], _shape(headers, asked[1])
        if route is ONE:
            found = self._answers.one(unquote(text) if "%" in text else text, shape)
            return None if isinstance(found, Miss) else found
        named = self._answers.named(unquote_plus(text))
        if not 0 < len(named) <= self._symbols_max:
            return None
        many = self._answers.many(named, shape)
        if many.misses and not all(
            map(self._on_demand.is_quiet, self._answers.missing(many))
        ):
            return None  # they may come, and are worth to be waited for
        return many

    def _written(
        self,
        route: str,
        url: bytes,
        asked: Headers,
        answer: Answer,
        spent: Spent | None,
        began_ms: float,
        server_headers: bytes,
    ) -> bytes:
        self._metrics.looked_up(answer.found, answer.misses)
        sent_id = asked.get(b"x-request-id")
        if sent_id is not None and SANE_ID.fullmatch(sent_id):
            request_id = sent_id
        else:
            request_id = self._ids.new()
        tag = answer.tag
        held = asked.get(b"if-none-match")
        if held is not None and is_held(held.decode("latin-1"), tag):
            self._metrics.not_modified.inc()
            status, head, body = 304, _NOT_MODIFIED, b""
        else:
            status, head, body = 200, *_body(asked, answer)
        took_ms = self._clock.monotonic_ms() - began_ms
        self._metrics.count(route, status, took_ms / 1000)
        if self._says_all:
            _say(route, url, status, took_ms, request_id)
        return (
            b"%b%betag: %b\r\n%bx-request-id: %b\r\nserver-timing: app;dur=%.2f\r\n\r\n%b"
            % (
                head,
                server_headers,
                tag.encode(),
                b"" if spent is None else _BUDGET % (spent[1], spent[2], spent[3]),
                request_id,
                took_ms,
                body,
            )
        )


def _credential(headers: Headers) -> bytes | None:
    """The one credential; None for none, empty for what the application should look at."""
    shown = headers.get(b"authorization")
    key = headers.get(b"x-api-key")
    if shown is None:
        return key.strip() if key is not None else None
    return shown[len(_BEARER) :] if key is None and shown[:7] == _BEARER else b""


def _asked(route: str, url: bytes) -> tuple[str, Mode | None] | None:
    """The scrips as they are written in the address, and the mode; None for an address that asks more."""
    if route is ONE:
        name, asks, rest = url[len(_ONE_PREFIX) :].partition(b"?")
        is_plain = b"/" not in name
    else:
        name, asks, rest = url[len(_MANY_PREFIX) :].partition(b"&")
        is_plain = b"?" not in name
    if not is_plain or (asks and not rest) or rest not in _MODES:
        return None
    return name.decode("latin-1"), _MODES[rest]


def _shape(headers: Headers, mode: Mode | None) -> Shape:
    accept = headers.get(b"accept")
    if mode is None and (accept is None or accept == b"*/*"):
        return WHOLE_JSON
    return shape_of(media_type((accept or b"").decode("latin-1")), None, mode)


def _body(asked: Headers, answer: Answer) -> tuple[bytes, bytes]:
    """The beginning of the head, as far as the body decides it, and the body as it goes out."""
    body = answer.body
    kind = _OK_MSGPACK if answer.media_type == MSGPACK else _OK_JSON
    encoding = b"vary: %b\r\n" % VARY.encode()
    if len(body) >= COMPRESSED_FROM_BYTES:
        encoding = b"vary: %b, Accept-Encoding\r\n" % VARY.encode()
        if takes_gzip(asked.get(b"accept-encoding", b"").decode("latin-1")):
            body = gzip.compress(body, COMPRESSION_LEVEL, mtime=0)
            encoding += b"content-encoding: gzip\r\n"
    return b"%b%bcontent-length: %d\r\n" % (kind, encoding, len(body)), body


def _block(*headers: tuple[bytes, bytes]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


_BUDGET = b"ratelimit-limit: %d\r\nratelimit-remaining: %d\r\nratelimit-reset: %d\r\n"
_COMMON = _block(*ON_EVERY_ANSWER, (b"cache-control", CACHING.encode()))
_NOT_MODIFIED = (
    b"HTTP/1.1 304 Not Modified\r\n" + _COMMON + _block((b"vary", VARY.encode()))
)
_OK_JSON = (
    b"HTTP/1.1 200 OK\r\n" + _COMMON + _block((b"content-type", b"application/json"))
)
_OK_MSGPACK = (
    b"HTTP/1.1 200 OK\r\n" + _COMMON + _block((b"content-type", MSGPACK.encode()))
)


def _say(
    route: str, url: bytes, status: int, took_ms: float, request_id: bytes
) -> None:
    line: dict[str, Any] = {
        "method": "GET",
        "path": url.partition(b"?")[0].decode("latin-1")[:PATH_LOGGED_MAX],
        "route": route,
        "status": status,
        "duration_ms": round(took_ms, 3),
        "request_id": request_id.decode(),
    }
    log.debug("gateway.request", **line)
