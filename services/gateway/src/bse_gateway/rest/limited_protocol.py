"""uvicorn's HTTP protocol with the limits that it lacks: size and pace of a request's head, connections, readers.

Whoever breaks one gets a problem and is cut off. Only here and in `lean_protocol` is uvicorn's inside known;
their tests hold both against the real server.
"""

import asyncio
from typing import Any, ClassVar, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bse_gateway.metrics import GatewayMetrics
from bse_gateway.rest.envelope import ON_EVERY_ANSWER, RequestIds
from bse_gateway.rest.problems import MEDIA_TYPE, Kind, Problem, problem_document


URL_BYTES_MAX = 16 * 1024
"""Five hundred ISINs with escaped commas, twice."""
HEAD_BYTES_MAX = 32 * 1024
HEADERS_MAX = 100


class ConnectionLimits(NamedTuple):
    """What one connection may take, in seconds, and how many there may be."""

    connections_max: int
    head_within_s: float
    read_within_s: float


class _Refused(Exception):
    """Ends the parsing of a head."""


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    limits: ClassVar[ConnectionLimits]
    metrics: ClassVar[GatewayMetrics]
    ids: ClassVar[RequestIds]
    _head_bytes = 0
    _is_in_head = True
    _refusal: Problem | None = None
    _head_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or turn it away."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections_max:
            self._refuse(
                Problem(Kind.OVERLOADED, "Too many connections.", headers=_COME_AGAIN)
            )
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes; the head of a request that has begun must end in time."""
        if self._refusal is not None:
            return  # told already; the transport is closing
        super().data_received(data)
        if self._is_in_head and self._head_bytes and self._head_timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._is_in_head = True
        self._head_bytes = 1
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        super().on_url(url)
        if len(self.url) > URL_BYTES_MAX:
            self._give_up(Kind.URL_TOO_LONG, _AT_MOST, limit=URL_BYTES_MAX)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        super().on_header(name, value)
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX or len(self.headers) > HEADERS_MAX:
            self._give_up(Kind.HEADERS_TOO_LARGE, _AT_MOST, limit=HEAD_BYTES_MAX)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_is_whole()
        if self.parser.get_http_version() not in _VERSIONS:
            self._give_up(Kind.BAD_REQUEST, "This is not HTTP/1.1.")
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """It caught up."""
        super().resume_writing()
        if self._read_timer is not None and not self.transport.is_closing():
            self._read_timer.cancel()
            self._read_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer what can't be parsed, or was too much, and close."""
        self._refuse(
            self._refusal
            or Problem(Kind.BAD_REQUEST, "This is not HTTP as we read it.")
        )

    def _head_is_whole(self) -> None:
        self._is_in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(
            self.limits.head_within_s, self._cut_slow_head
        )

    def _await_reader(self) -> None:
        if self._read_timer is None:
            self._read_timer = self.loop.call_later(
                self.limits.read_within_s, self._cut_reader
            )

    def _cut_slow_head(self) -> None:
        if self.flow.read_paused:  # it is we who do not read
            self._await_head()
        elif self._head_bytes:
            self._refuse(
                Problem(Kind.TOO_SLOW, "The head of the request took too long.")
            )
        else:  # connected and never asked
            self.transport.close()

    def _cut_reader(self) -> None:
        self.metrics.refused.labels("slow_reader").inc()
        self.transport.abort()

    def _give_up(self, kind: Kind, detail: str, **members: Any) -> None:
        self._refusal = Problem(kind, detail, **members)
        raise _Refused

    def _refuse(self, problem: Problem) -> None:
        """Answer at once. An answer that is under way is not disturbed: then the connection just ends."""
        self._refusal = problem
        self._head_is_whole()
        self.metrics.refused.labels(problem.kind.slug).inc()
        self.metrics.count("unmatched", problem.kind.status, 0)
        cycle: Any = self.cycle  # None before the first request
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(self._raw(problem))
        self.transport.close()
        self._await_reader()  # closing waits for what is still to be read

    def _raw(self, problem: Problem) -> bytes:
        request_id = self.ids.new()
        body = problem_document(problem, request_id.decode()).encode()
        headers = [
            *self.server_state.default_headers,
            *ON_EVERY_ANSWER,
            *(
                (name.encode(), text.encode())
                for name, text in (problem.headers or {}).items()
            ),
            (b"cache-control", b"no-store"),
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id),
            (b"connection", b"close"),
        ]
        head = b"".join(b"%b: %b\r\n" % each for each in headers)
        return STATUS_LINE[problem.kind.status] + head + b"\r\n" + body

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._read_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._read_timer = None


_AT_MOST = "See `limit`, in bytes."
_VERSIONS = ("1.1", "1.0")
_COME_AGAIN = {"Retry-After": "1"}
