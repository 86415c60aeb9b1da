"""The Server-Sent Events door, `/sse?symbols=`: for curl, dashboards and browsers without a library.

A stream, not a conversation: what is wanted stands in the query. A reconnecting browser sends `Last-Event-ID` by
itself, and gets what it lacks.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bse_shared.quotes.position import Position
from bse_ws_hub.admission.admission import Admission
from bse_ws_hub.admission.refused import Refused, Why
from bse_ws_hub.answers import Answers
from bse_ws_hub.clients import Client, Clients
from bse_ws_hub.encodings.messages import Message
from bse_ws_hub.encodings.sse_codec import SSE
from bse_ws_hub.hub.commands import BadCommand, Subscribe, command_from_object
from bse_ws_hub.hub.disconnects import TOO_MANY_CONNECTIONS
from bse_ws_hub.hub.sessions import Session
from bse_ws_hub.hub.vector import read_vector
from bse_ws_hub.hub.wants import UnknownField
from bse_ws_hub.set_commands import want_of
from bse_ws_hub.sockets.catch_up import CatchUp
from bse_ws_hub.sockets.refusal_response import refusal_response
from bse_ws_hub.sockets.stream_protocol import EXTENSION, StreamEnd


RETRY = b"retry: 3000\n\n"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "Connection": "close",  # nothing may follow a stream: it is cut where nobody reads it
}


class SseOutlet:
    """A client's way out: events that its response has yet to take."""

    def __init__(self, end: StreamEnd, backlog_bytes_max: int):
        self.closed = False
        self.on_unread: Callable[[], None] = lambda: None
        self.on_rewired: Callable[[], None] = lambda: None
        self._end = end
        self._events: deque[bytes] = deque()
        self._bytes = 0
        self._backlog_bytes_max = backlog_bytes_max
        self._news = asyncio.Event()

    def write(self, event: bytes) -> None:
        """Let the response take it."""
        if not self.closed:
            self._events.append(event)
            self._bytes += len(event)
            self._news.set()
            self.on_unread()

    def send(self, event: bytes) -> int:
        """The same: there is no faster way."""
        self.write(event)
        return len(event)

    def backlog(self) -> float:
        """What the response has not taken against the limit."""
        return self._bytes / self._backlog_bytes_max

    def unread_bytes(self) -> int:
        """See Outlet."""
        return self._bytes

    def close(self, code: int, reason: str) -> None:
        """End the response behind what is written; cut the connection if that is not read soon."""
        self.closed = True
        self._news.set()
        self._end.end_soon()

    async def events(self) -> AsyncIterator[bytes]:
        """What was written, until closed; the response takes the next when the client has room."""
        yield RETRY
        while True:
            while self._events:
                taken = b"".join(self._events)
                self._events.clear()
                self._bytes = 0
                yield taken
            if self.closed:
                return
            self._news.clear()
            await self._news.wait()


@dataclass(slots=True)
class SseDoor:
    """Serves one stream after another."""

    answers: Answers
    catch_up: CatchUp

    @property
    def clients(self) -> Clients:
        """All clients."""
        return self.answers.clients

    async def serve(self, request: Request) -> Response:
        """One stream, or a problem that says what is wrong with the request."""
        if (refusal := self._refusal(request)) is not None:
            return refusal
        vector = read_vector(request.headers.get("last-event-id", ""))
        try:
            command = _command(request)
            want_of(
                command
            )  # what is wrong with it is said now: later it would be an event
        except BadCommand as error:
            return _problem(400, error.reason, str(error))
        except UnknownField as error:
            return _problem(400, "unknown_field", str(error))
        if vector is not None:
            await self.catch_up.reach(vector)
        try:
            admission = await self._admit(request)
        except Refused as refused:
            return refusal_response(refused)
        end: StreamEnd = request.scope["extensions"][EXTENSION]
        end.keep_small()
        outlet = SseOutlet(end, self.clients.settings.backlog_bytes_max)
        busy = self._busy()
        client = (
            None
            if busy
            else self.clients.connect(Session("", SSE, outlet), outlet, admission)
        )
        if client is None:
            self.clients.doorkeeper.leave(admission)
            return busy or refusal_response(Refused(Why.TOKEN_REFUSED, "revoked"))
        self.clients.send(client, self._start(client, command, vector))
        headers = {**HEADERS, **self._cors(request)}
        return StreamingResponse(
            self._stream(client, outlet),
            media_type="text/event-stream",
            headers=headers,
        )

    def _refusal(self, request: Request) -> JSONResponse | None:
        if not self.clients.origin_allowed(request.headers.get("origin")):
            return _problem(403, "origin_not_allowed", "this origin may not connect")
        if request.method != "GET":  # a HEAD would wait for the end of a stream
            allow = {"Allow": "GET"}
            return _problem(405, "method_not_allowed", "a stream is read by GET", allow)
        if self.clients.follower.ready:
            return self._busy()
        detail = "the hub has not read the market yet"
        return _problem(503, "not_ready", detail, {"Retry-After": "1"})

    def _busy(self) -> JSONResponse | None:
        if not self.clients.full and not self.clients.draining:
            return None
        why = TOO_MANY_CONNECTIONS.reason
        return _problem(503, why, "try again later", {"Retry-After": "2"})

    async def _admit(self, request: Request) -> Admission:
        """Raises Refused. What is wanted stands in the query, so a client id means nothing here."""
        keeper = self.clients.doorkeeper
        host = request.client.host if request.client else ""
        keeper.arrive(host)
        asked = keeper.asked_in_request(request.scope)
        admission = await keeper.admit(asked, host)
        admission.client_id = admission.unclaimed = ""
        if not admission.identity.proved:
            keeper.leave(admission)
            raise Refused(Why.NOT_AUTHENTICATED)
        return admission

    def _start(
        self, client: Client, command: Subscribe, vector: list[Position] | None
    ) -> Message:
        if vector is None:
            return self.answers.command(client, command)
        return self.answers.set_commands.resume_at(client, command, vector)

    async def _stream(self, client: Client, outlet: SseOutlet) -> AsyncIterator[bytes]:
        try:
            async for event in outlet.events():
                yield event
        finally:
            self.clients.disconnected(client, "client")

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        return (
            {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}
        )


def _command(request: Request) -> Subscribe:
    """The query as a subscribe command. Raises BadCommand."""
    query = request.query_params
    data: dict[str, object] = {
        "symbols": [s for s in query.get("symbols", "").split(",") if s]
    }
    if "mode" in query:
        data["mode"] = query["mode"]
    if "fields" in query:
        data["fields"] = [f for f in query["fields"].split(",") if f]
    if "every" in query:
        if query["every"] not in {"true", "false"}:
            raise BadCommand("bad_message", "every must be true or false")
        data["every"] = query["every"] == "true"
    if "max_hz" in query:
        try:
            data["max_hz"] = float(query["max_hz"])
        except ValueError:
            raise BadCommand("bad_message", "max_hz must be a number") from None
    command = command_from_object("subscribe", data)
    if not isinstance(command, Subscribe):
        raise BadCommand("bad_message", "expected a subscription")
    return command


def _problem(
    status: int, reason: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """RFC 9457."""
    body = {
        "type": f"/problems/{reason.replace('_', '-')}",
        "title": reason.replace("_", " "),
        "status": status,
        "detail": detail,
    }
    return JSONResponse(
        body, status, headers=headers, media_type="application/problem+json"
    )
